// The second of the demonstration's services (shop.py): asks the warehouse (warehouse.php) and hands its response on. stock.js URL; prints
// its port.
'use strict';
const http = require('http');

const server = http.createServer((request, response) => {
  const item = request.url.split('?')[0].split('/').pop();
  const call = http.get(`${process.argv[2]}/shelf/${item}`, answer => {
    response.writeHead(answer.statusCode, { 'Content-Type': 'application/json', 'Content-Length': answer.headers['content-length'] });
    answer.pipe(response);
  });
  call.on('error', () => response.writeHead(502, { 'Content-Length': 0 }).end());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
// Ends with whoever started it.
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.exit(); }, 200);
