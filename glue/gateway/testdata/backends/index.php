<?php
// A front controller that reports what it is told about a request.
$body = file_get_contents('php://input');
$told = array_filter($_SERVER, fn ($value, $name) => is_string($value) && $name !== 'BACKEND_SEEN', ARRAY_FILTER_USE_BOTH);
$line = json_encode(
	['env' => $told, 'length' => strlen($body), 'sha256' => hash('sha256', $body)],
	JSON_INVALID_UTF8_SUBSTITUTE | JSON_FORCE_OBJECT
);
file_put_contents($_SERVER['BACKEND_SEEN'], $line . "\n", FILE_APPEND);
header('Content-Type: application/json');
header('Content-Length: ' . strlen($line));
echo $line;
