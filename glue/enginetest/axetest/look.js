// look tells what is wrong with the page as it is shown, one line each. once is for what
// neither the width nor the colours can change.
async ({once, rules}) => {
	const wrong = []
	const page = document.documentElement
	const name = e => e.localName + (e.id && "#" + e.id) + [...e.classList].map(c => "." + c).join("")
	for (const d of document.querySelectorAll("details")) d.open = true
	// A long list is like a short one, and takes long to look at.
	for (const l of document.querySelectorAll("ul, ol, tbody")) if (l.children.length > 20) while (l.children.length > 5) l.children[3].remove()

	if (page.scrollWidth > page.clientWidth) {
		const widest = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > page.clientWidth + 1)
		wrong.push(`it scrolls sideways: ${page.scrollWidth} px in ${page.clientWidth}: ${widest.slice(0, 5).map(name).join(", ")}`)
	}
	// What hides what does not fit. Texts for screen readers alone are hidden on purpose.
	for (const e of document.body.querySelectorAll("*")) {
		const style = getComputedStyle(e)
		if (/hidden|clip/.test(style.overflowX + style.overflowY) && style.clipPath === "none" && e.localName !== "input" &&
			(e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) wrong.push(`text is cut off: ${name(e)}`)
	}
	if (once) {
		const count = (what, selector) => {
			const n = document.querySelectorAll(selector).length
			if (n !== 1) wrong.push(`${n} × ${what}, not 1`)
		}
		count("html lang", "html[lang]:not([lang=''])")
		count("h1", "h1")
		count("main", "main")
		count("title", "head title")
		count("meta viewport", "meta[name=viewport][content*='width=device-width']")
		if (!document.title.trim()) wrong.push("the title is empty")
		if (document.compatMode !== "CSS1Compat") wrong.push("there is no doctype")
		for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
			if (!e.checkVisibility() || e.disabled) continue
			e.focus()
			const style = getComputedStyle(e)
			if (document.activeElement !== e) wrong.push(`it cannot have the focus: ${name(e)}`)
			else if (!e.matches(":focus-visible") || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1)
				wrong.push(`its focus cannot be seen: ${name(e)}`)
		}
		document.activeElement?.blur()
	}
	if (rules) {
		const found = await axe.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
			resultTypes: ["violations", "incomplete"], preload: false, iframes: false,
		})
		// A contrast that it cannot tell is one that nobody has looked at.
		for (const v of [...found.violations, ...found.incomplete.filter(i => i.id === "color-contrast")])
			wrong.push(`${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ") + ": " + [...n.any, ...n.all, ...n.none].map(c => c.message).join(", ")).join("; ")} (${v.help}; ${v.nodes.length} in all)`)
	}
	return wrong
}
