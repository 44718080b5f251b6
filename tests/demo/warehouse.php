<?php
// The third of the demonstration's services: SUPPLIER=URL php -S 127.0.0.1:PORT warehouse.php. Kettles take long, unicorns are out of stock;
// when more comes the supplier knows (supplier.pl).
$item = basename(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($item === 'kettle') {
    usleep(120000);  // a query without an index
}
$supplier = json_decode(file_get_contents(getenv('SUPPLIER') . "/delivery/$item"), true);
http_response_code($item === 'unicorn' ? 404 : 200);
$body = json_encode(['left' => $item === 'unicorn' ? 0 : 3, 'days' => $supplier['days']]);
header('Content-Type: application/json');
header('Content-Length: ' . strlen($body));
echo $body;
