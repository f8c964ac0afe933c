const { createHash } = require('node:crypto')
const { appendFileSync, existsSync, promises } = require('node:fs')
const { Worker } = require('node:worker_threads')

const shared = new SharedArrayBuffer(16)
const cells = new Int32Array(shared)
const worker = new Worker(
  `const { parentPort, workerData } = require('node:worker_threads')
   const cells = new Int32Array(workerData)
   setInterval(() => Atomics.add(cells, 0, 1), 3)
   parentPort.on('message', (n) => parentPort.postMessage(n * n))`,
  { eval: true, workerData: shared },
)

let ticks = 0
let asked = 0
let answered = 0
let hashed = 0
let written = 0
const wrong = []
worker.on('message', (square) => {
  answered++
  if (square !== answered * answered) wrong.push(`answer ${answered}: ${square}`)
})

async function work() {
  const data = Buffer.alloc(100_000, 'x')
  const digest = createHash('sha256').update(data).digest('hex')
  while (!existsSync('stop')) {
    await promises.writeFile('copy', data)
    const back = await promises.readFile('copy')
    written++
    if (createHash('sha256').update(back).digest('hex') !== digest) wrong.push('another content')
    hashed++
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const interval = setInterval(() => {
  ticks++
  appendFileSync('ticks', `${ticks}\n`)
  worker.postMessage(++asked)
}, 10)

work().then(async () => {
  clearInterval(interval)
  while (answered < asked) await new Promise((resolve) => setTimeout(resolve, 5))
  if (Atomics.load(cells, 0) === 0) wrong.push('the worker did not tick')
  if (hashed !== written) wrong.push('files')
  await worker.terminate()
  console.log('end:', wrong.length ? wrong.join(', ') : 'all agree')
})
