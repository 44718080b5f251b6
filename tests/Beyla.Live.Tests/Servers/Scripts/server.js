// server.js PORT [WORKERS]: an HTTP server of node's own library that the live tests trace. With workers the first process accepts and
// passes each socket to one of them (node's round-robin cluster).
'use strict';
const cluster = require('cluster');
const http = require('http');

const port = Number(process.argv[2]);
const workers = Number(process.argv[3] || 0);

// A timer of node counts whole milliseconds from the start of the loop's turn and may end early.
function sleep(until, then) {
  const left = Number(until - process.hrtime.bigint()) / 1e6;
  if (left <= 0) then();
  else setTimeout(() => sleep(until, then), Math.ceil(left));
}

function answer(request, response) {
  const [, name, argument] = request.url.split('?')[0].split('/');
  const number = Number(argument);
  if (request.method === 'POST') {
    let length = 0;
    request.on('data', part => { length += part.length; });
    request.on('end', () => response.end(`${length}\n`));
  } else if (name === 'sleep') {
    sleep(process.hrtime.bigint() + BigInt(number) * 1000000n, () => response.end('slept\n'));
  } else if (name === 'status') {
    response.writeHead(number);
    response.end();
  } else if (name === 'chunked') {
    for (let i = 0; i < number; i++) response.write('chunk\n');
    response.end();
  } else if (name === 'bytes') {
    response.end('x'.repeat(number));
  } else {
    response.end('hello\n');
  }
}

if (workers > 0 && cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  let listening = 0;
  for (let i = 0; i < workers; i++) cluster.fork();
  cluster.on('listening', () => { if (++listening === workers) console.log('serving'); });
} else {
  const server = http.createServer({ keepAlive: true, keepAliveTimeout: 60000 }, answer);
  // After the switch the connection speaks something else: it echoes, including what looks like HTTP.
  server.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('data', part => socket.write(part));
    socket.on('error', () => {});
  });
  server.listen({ port, host: '::', backlog: 512 }, () => { if (workers === 0) console.log('serving'); });
}
