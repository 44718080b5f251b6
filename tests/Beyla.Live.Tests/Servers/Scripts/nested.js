// nested.js PORT BACKEND: nested.py for node, with an agent that keeps its connections.
'use strict';
const http = require('http');

const [port, backend] = [Number(process.argv[2]), Number(process.argv[3])];
const agent = new http.Agent({ keepAlive: true });

function call(path, then) {
  http.get({ host: '127.0.0.1', port: backend, path, agent }, response => {
    let body = '';
    response.on('data', part => { body += part; });
    response.on('end', () => then(body));
  });
}

http.createServer((request, response) => {
  const [path, mode] = request.url.split('?');
  const number = path.split('/').pop();
  const answer = body => {
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  };
  const end = body => (mode === 'after' ? setTimeout(answer, Number(number) % 7, body) : answer(body));
  if (mode === 'before') setTimeout(call, Number(number) % 7, `/out/${number}`, end);
  else if (mode === 'two') call(`/out/${number}/1`, () => call(`/out/${number}/2`, end));
  else call(`/out/${number}`, end);
}).listen({ port, host: '127.0.0.1', backlog: 512 });
