<?php
// nested.py for PHP's own server: BACKEND=port PHP_CLI_SERVER_WORKERS=n php -S 127.0.0.1:PORT nested.php. Each worker is a process with
// one request at a time; each call has a connection of its own.
function call(string $path): string
{
    $context = stream_context_create(['http' => ['protocol_version' => 1.1, 'header' => "Connection: close\r\n"]]);
    return file_get_contents('http://127.0.0.1:' . getenv('BACKEND') . $path, false, $context);
}

$number = (int) basename(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$mode = $_SERVER['QUERY_STRING'] ?? '';
if ($mode === 'before') {
    usleep($number % 7 * 1000);
}
if ($mode === 'two') {
    call("/out/$number/1");
    $body = call("/out/$number/2");
} else {
    $body = call("/out/$number");
}
if ($mode === 'after') {
    usleep($number % 7 * 1000);
}
header('Content-Length: ' . strlen($body));
echo $body;
