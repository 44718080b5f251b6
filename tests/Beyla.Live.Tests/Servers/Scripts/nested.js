// nested.js PORT BACKEND: nested.py for node, with an agent that keeps its connections (but with CLOSE=1).
'use strict';
const http = require('http');

function endpoint(text) {
  const [port, host] = text.split(':').reverse();
  return { host: host || '127.0.0.1', port: Number(port) };
}

const [here, backend] = [endpoint(process.argv[2]), endpoint(process.argv[3])];
const agent = new http.Agent({ keepAlive: process.env.CLOSE !== '1' });

function call(path, then) {
  http.get({ ...backend, path, agent }, response => {
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
}).listen({ ...here, backlog: 512 });
