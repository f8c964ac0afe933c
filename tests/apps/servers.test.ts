import { serverTest } from './run.ts'
import { servers } from './servers/servers.ts'

/**
 * Servers from Debian, in tests/apps/servers: each has a client outside of the tree, whose connections
 * stay over dump and restore. It sends while the server is not there, and has its answers afterwards.
 */
for (const [name, server] of Object.entries(servers)) serverTest(name, server)
