-- Asks the gateway about a request, as auth_request of nginx does, and shows its answer
-- where that is no yes. HAProxy's own HTTP client does it: no library is needed.
local gateway = "http://127.0.0.1:8090/.wls/auth-or-login"
local told = { "remote-user", "cache-control" } -- of the answer, and what the variables are called

core.register_action("wlsgateway", { "http-req" }, function(txn)
	local ask = {}
	for name, values in pairs(txn.http:req_get_headers()) do
		ask[name] = {}
		for i = 0, #values do
			ask[name][i + 1] = values[i]
		end
	end
	for _, name in ipairs({ "connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "expect" }) do
		ask[name] = nil
	end
	ask["x-original-uri"] = { txn.f:pathq() }
	ask["x-original-method"] = { txn.f:method() }
	ask["x-forwarded-for"] = { txn.f:src() }
	ask["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
	local answer = core.httpclient():get({ url = gateway, headers = ask, timeout = 10000 })
	if answer.status == 200 then
		for _, name in ipairs(told) do
			txn:set_var("txn.wls_" .. name:gsub("-", "_"), answer.headers[name] and answer.headers[name][0] or "")
		end
		txn:set_var("txn.wls_allowed", true)
		return
	end
	local reply = txn:reply({ status = answer.status > 0 and answer.status or 502, body = answer.body or "" })
	for name, values in pairs(answer.headers or {}) do
		if name ~= "content-length" and name ~= "transfer-encoding" and name ~= "connection" then
			for i = 0, #values do
				reply:add_header(name, values[i])
			end
		end
	end
	txn:done(reply)
end)
