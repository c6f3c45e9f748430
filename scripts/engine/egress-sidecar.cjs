// Stands in for cloudflare/proxy-everything where that image cannot be had: workerd's control API, and one HTTP CONNECT per
// connection to the container whose network it shares. Refuses as the real one does: 400 while nothing listens.
const { createServer } = require('node:http');
const { connect } = require('node:net');

const CA = '-----BEGIN CERTIFICATE-----\nbm90IHVzZWQ=\n-----END CERTIFICATE-----\n';
const server = createServer((request, response) => {
  request.resume();
  if (request.method === 'PUT' && request.url === '/egress') response.writeHead(200).end();
  else if (request.method === 'GET' && request.url === '/ca') response.writeHead(200).end(CA);
  else response.writeHead(404).end();
});
server.on('connect', (request, client, head) => {
  const port = Number(
    String(request.headers['x-dst-addr'] || request.url)
      .split(':')
      .pop(),
  );
  client.on('error', () => client.destroy());
  const upstream = connect(port, process.env.CONTAINER_ADDRESS || firstAddress());
  upstream.setNoDelay(true);
  const refuse = () => client.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
  upstream.once('error', refuse);
  upstream.once('connect', () => {
    upstream.off('error', refuse).on('error', () => client.destroy());
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => client.destroy());
});
server.listen(39001, '0.0.0.0');

// Not 127.0.0.1: what listens there alone is not reached from outside a container.
function firstAddress() {
  for (const list of Object.values(require('node:os').networkInterfaces()))
    for (const { family, internal, address } of list || []) if (family === 'IPv4' && !internal) return address;
  return '127.0.0.1';
}
process.on('SIGTERM', () => process.exit(0));
