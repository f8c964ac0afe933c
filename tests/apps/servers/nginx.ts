import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HttpClient } from './http.ts'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { run } from './process.ts'

const PORT = 8080
const BIG = 'a page of many bytes. '.repeat(100_000)

const configuration = (directory: string, greeting: string): string => `
user www-data;
daemon off;
worker_processes 3;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 64; }
http {
  access_log ${directory}/access.log;
  keepalive_requests 100000;
  keepalive_timeout 600;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  proxy_cache_path ${directory}/cache keys_zone=zone:1m;
  limit_req_zone $binary_remote_addr zone=limit:1m rate=1000r/s;
  upstream kept {
    server unix:${directory}/socket;
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${PORT};
    listen [::1]:${PORT} reuseport;
    listen unix:${directory}/socket;
    root ${directory}/pages;
    location = /greeting { return 200 "${greeting}"; }
    location = /worker { return 200 "$pid"; }
    location /through/ {
      proxy_pass http://kept/;
      proxy_set_header Connection '';
      proxy_http_version 1.1;
      proxy_cache zone;
      limit_req zone=limit burst=1000;
    }
  }
}
`

class NginxClient implements Client {
  readonly #kept: readonly HttpClient[]
  readonly #slow: HttpClient
  readonly #directory: string
  #workers: string[] | undefined

  /** `slow`: a connection whose large page is read bit by bit, over all dumps. */
  constructor(kept: readonly HttpClient[], slow: HttpClient, directory: string) {
    this.#kept = kept
    this.#slow = slow
    this.#directory = directory
  }

  async use(): Promise<void> {
    const workers: string[] = []
    for (const http of this.#kept) {
      workers.push((await http.request('GET', '/worker')).body)
      await http.expect('/greeting', 'hello')
      await http.expect('/big', BIG)
      await http.expect('/through/big', BIG)
    }
    this.#workers ??= workers
    same(workers, this.#workers, 'workers of the connections that were kept')
  }

  async ask(): Promise<void> {
    for (const http of this.#kept) http.ask('GET', '/big')
    for (const http of this.#kept) same((await http.answer()).body, BIG, '/big')
  }

  async finish(): Promise<void> {
    await this.use()
    this.#slow.wire.goOn()
    same((await this.#slow.answer()).body, BIG, 'the page that was read slowly')
    const master = run(['cat', `${this.#directory}/nginx.pid`]).trim()
    writeFileSync(join(this.#directory, 'nginx.conf'), configuration(this.#directory, 'reloaded'))
    run(['kill', '-HUP', master])
    // The old workers end the connections that are idle, the new ones take others.
    await Promise.all(this.#kept.map(({ wire }) => wire.ended()))
    const worker = await untilIt(afterReload)
    same(this.#workers!.includes(worker), false, 'a worker from before the reload')
    run(['kill', '-QUIT', master])
  }
}

/** The worker that a new connection is given to; another old one may be the last to hear of its end. */
async function afterReload(): Promise<string> {
  const http = await HttpClient.open(PORT)
  await http.expect('/greeting', 'reloaded')
  return (await http.request('GET', '/worker')).body
}

function prepare({ directory }: Workplace): void {
  run(['mkdir', 'pages'], { cwd: directory })
  writeFileSync(join(directory, 'pages/big'), BIG)
  writeFileSync(join(directory, 'nginx.conf'), configuration(directory, 'hello'))
}

export const nginx: ServerApp = {
  title:
    'nginx: master and workers, connections that are kept, a large page half read; then a reload',
  prepare,
  command: ({ directory }) => ['nginx', '-p', directory, '-c', join(directory, 'nginx.conf')],
  arguments: ['--tcp-established'],
  async connect({ directory }) {
    const hosts = ['127.0.0.1', '127.0.0.1', '127.0.0.1', '::1', '::1']
    const kept = await Promise.all(hosts.map((host) => HttpClient.open(PORT, host)))
    const slow = await HttpClient.open(PORT)
    slow.wire.pause()
    slow.ask('GET', '/big')
    return new NginxClient(kept, slow, directory)
  },
}
