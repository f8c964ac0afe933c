import { nodeCluster } from './cluster.ts'
import { etcd } from './etcd.ts'
import { nodeHttp, pythonHttp } from './http-servers.ts'
import { java } from './java.ts'
import { memcached } from './memcached.ts'
import type { ServerApp } from './model.ts'
import { nginx } from './nginx.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { sqlite } from './sqlite.ts'
import { sshd } from './sshd.ts'
import { tmux } from './tmux.ts'
import { vim } from './vim.ts'

/** All of them, by the name that `cycle.ts` takes. */
export const servers: Readonly<Record<string, ServerApp>> = {
  redis,
  memcached,
  nginx,
  postgres,
  'node-http': nodeHttp,
  'node-cluster': nodeCluster,
  'python-http': pythonHttp,
  sshd,
  sqlite,
  tmux,
  vim,
  java,
  etcd,
}
