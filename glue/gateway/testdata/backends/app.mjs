// A Node program that reports what it is told about a request, by the names of CGI.
// What is in no name of a CGI variable is escaped, so that two headers stay two.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';

const variable = (name) =>
	'HTTP_' + encodeURIComponent(name).replace(/_/g, '%5F').toUpperCase().replace(/-/g, '_');

const { createServer } = process.argv[3] === 'h2c' ? http2 : http;

createServer((request, response) => {
	const chunks = [];
	request.on('data', (chunk) => chunks.push(chunk));
	request.on('end', () => {
		const body = Buffer.concat(chunks);
		const env = {
			REQUEST_METHOD: request.method,
			REQUEST_URI: request.url,
			PATH_INFO: decodeURIComponent(new URL(request.url, 'http://localhost').pathname),
			REMOTE_ADDR: request.socket.remoteAddress,
		};
		for (const [name, value] of Object.entries(request.headers)) {
			if (!name.startsWith(':')) {
				env[variable(name)] = String(value);
			}
		}
		if (request.authority) {
			env.HTTP_HOST = request.authority;
		}
		const line = JSON.stringify({
			env,
			length: body.length,
			sha256: createHash('sha256').update(body).digest('hex'),
		});
		appendFileSync(process.env.BACKEND_SEEN, line + '\n');
		response.setHeader('Content-Type', 'application/json');
		response.end(line);
	});
}).listen(Number(process.argv[2]), '127.0.0.1');
