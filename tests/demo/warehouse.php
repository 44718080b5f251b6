<?php
// The last of the demonstration's services: php -S 127.0.0.1:PORT warehouse.php. Kettles take long, unicorns are out of stock.
$item = basename(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($item === 'kettle') {
    usleep(120000);  // a query without an index
}
http_response_code($item === 'unicorn' ? 404 : 200);
$body = json_encode(['left' => $item === 'unicorn' ? 0 : 3]);
header('Content-Type: application/json');
header('Content-Length: ' . strlen($body));
echo $body;
