// client.js PORT COUNT PATH: waits until its input ends, then COUNT requests over one keep-alive connection. Prints "answers COUNT".
'use strict';
const http = require('http');

const [port, count, path] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function next(sent) {
  if (sent === count) {
    console.log(`answers ${count}`);
    agent.destroy();
    return;
  }
  http.get({ host: '127.0.0.1', port, path, agent }, response => {
    response.resume();
    response.on('end', () => next(sent + 1));
  });
}

process.stdin.resume();
process.stdin.on('end', () => next(0));
