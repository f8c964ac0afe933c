// A master of node's, and workers that share its listening socket and tell it what they did.
const cluster = require('node:cluster')
const http = require('node:http')

const port = Number(process.argv[2])
const workers = 3

if (cluster.isPrimary) {
  let total = 0
  let replaced = 0
  cluster.on('message', (worker, { done }) => {
    total += done
    worker.send({ total, replaced })
  })
  cluster.on('exit', (worker, code) => {
    if (code !== 7) console.error(`worker ${worker.id} ended with ${code}`)
    else cluster.fork().once('listening', () => replaced++)
  })
  for (let i = 0; i < workers; i++) cluster.fork()
} else {
  const tell = (response, done, name) => {
    process.once('message', (told) => response.end(String(told[name])))
    process.send({ done })
  }
  const routes = {
    '/worker': (response) => response.end(String(cluster.worker.id)),
    '/total': (response) => tell(response, 1, 'total'),
    '/replaced': (response) => tell(response, 0, 'replaced'),
    '/die': (response) => response.end('bye', () => process.exit(7)),
    '/end': (response) => response.end('bye', () => process.kill(process.ppid)),
  }
  const server = http.createServer((request, response) => routes[request.url](response))
  server.keepAliveTimeout = 600_000
  server.listen(port)
}
