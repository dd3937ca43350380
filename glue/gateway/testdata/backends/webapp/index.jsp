<%@page contentType="application/json" trimDirectiveWhitespaces="true"
	import="java.io.InputStream,java.io.FileOutputStream,java.math.BigInteger,java.security.MessageDigest,java.util.*"%><%!
// A servlet that reports what it is told about a request, by the names of CGI. What is
// in no name of a CGI variable is escaped, so that two headers stay two.
static String quoted(String text) {
	StringBuilder b = new StringBuilder("\"");
	for (char c : text.toCharArray()) {
		b.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
	}
	return b.append('"').toString();
}

static String orEmpty(String text) {
	return text == null ? "" : text;
}
%><%
byte[] body = request.getInputStream().readAllBytes();
Map<String, String> env = new TreeMap<>();
for (String name : Collections.list(request.getHeaderNames())) {
	String variable = "HTTP_" + name.replace("%", "%25").replace("_", "%5F").toUpperCase(Locale.ROOT).replace('-', '_');
	env.put(variable, String.join(", ", Collections.list(request.getHeaders(name))));
}
env.put("REQUEST_METHOD", request.getMethod());
env.put("REQUEST_URI", request.getRequestURI());
env.put("SCRIPT_NAME", request.getContextPath());
env.put("PATH_INFO", request.getServletPath() + orEmpty(request.getPathInfo()));
env.put("REMOTE_USER", orEmpty(request.getRemoteUser()));
env.put("REQUEST_SCHEME", request.getScheme());
env.put("SERVER_NAME", request.getServerName());
env.put("REMOTE_ADDR", request.getRemoteAddr());
StringJoiner told = new StringJoiner(",", "{", "}");
env.forEach((name, value) -> told.add(quoted(name) + ":" + quoted(value)));
byte[] digest = MessageDigest.getInstance("SHA-256").digest(body);
String line = String.format("{\"env\":%s,\"length\":%d,\"sha256\":\"%064x\"}", told, body.length, new BigInteger(1, digest));
try (FileOutputStream seen = new FileOutputStream(System.getenv("BACKEND_SEEN"), true)) {
	seen.write((line + "\n").getBytes("US-ASCII"));
}
response.setContentLength(line.length());
out.print(line);
%>
