// The caller ends while its dump waits at a hook.
import { dump } from 'criu-ts'

const [pid, imagesDir, script] = process.argv.slice(2)
await dump({ tree: Number(pid), imagesDir, actionScript: [script] })
