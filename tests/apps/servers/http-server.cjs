// An HTTP server of node: counts requests, streams, keeps a timer and a worker going.
const http = require('node:http')
const { Worker } = require('node:worker_threads')

let ticks = 0
let count = 0
setInterval(() => ticks++, 5)
const worker = new Worker(
  "require('node:worker_threads').parentPort.on('message', (n) => require('node:worker_threads').parentPort.postMessage(n * n))",
  { eval: true },
)

const routes = {
  '/count': (_request, response) => response.end(String(++count)),
  '/ticks': (_request, response) => response.end(String(ticks)),
  '/square': (_request, response) => {
    worker.once('message', (square) => response.end(String(square)))
    worker.postMessage(count)
  },
  '/echo': (request, response) => request.pipe(response),
  '/end': (_request, response) => {
    response.end('bye', () => process.exit(0))
  },
}

const server = http.createServer((request, response) => routes[request.url](request, response))
server.keepAliveTimeout = 600_000
server.listen(Number(process.argv[2]), '::')
