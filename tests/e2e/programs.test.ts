import { test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/** Real programs, dumped and restored three times while they work. */
const real = resolve(import.meta.dir, '../harness/real.sh')

interface Program {
  readonly command: readonly string[]
  /** Shell: it has begun to work. */
  readonly ready: string
  /** Shell: prints what changes while it works. */
  readonly progress: string
  /** Shell: all is right in the end. */
  readonly verify: string
  /** Files of its directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

function realTest(title: string, program: Program): void {
  const run = async () => {
    await build()
    const directory = mkdtempSync(join(tmpdir(), 'criu-real-'))
    for (const [name, content] of Object.entries(program.files ?? {})) {
      mkdirSync(join(directory, name, '..'), { recursive: true })
      writeFileSync(join(directory, name), content)
    }
    const { ready, progress, verify, command } = program
    const child = Bun.spawn([real, directory, '3', ready, progress, verify, ...command], {
      env: { ...process.env, CRIU: criuPath() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(`${said}\nkept: ${directory}`)
    rmSync(directory, { recursive: true })
  }
  test.concurrent(title, run, 400_000)
}

/** Programs that print `ok N` for each round that was right. */
const counting = {
  ready: '[ $(wc -l <out) -gt 20 ]',
  progress: 'wc -l <out',
  verify: 'awk \'$1 != "ok" || $2 != NR { exit 1 }\' out && [ ! -s err ]',
}

const python = `
import queue, threading, time
lock, q, put, got = threading.Lock(), queue.Queue(), [0] * 4, [0] * 4
def work(i):
    while True:
        with lock:
            put[i] += 1
        q.put(i)
        time.sleep(0.001)
for i in range(4):
    threading.Thread(target=work, args=(i,), daemon=True).start()
n = 0
while True:
    time.sleep(0.02)
    with lock:
        while not q.empty():
            got[q.get()] += 1
        ok = all(0 <= p - g <= 1 for p, g in zip(put, got))
    n += 1
    print('ok' if ok else 'BAD', n, flush=True)
`

realTest('python3 with threads and a queue', {
  ...counting,
  command: ['/usr/bin/python3', 'count.py'],
  files: { 'count.py': python },
})

const perl = `
use strict; use warnings; use IO::Handle;
$| = 1;
pipe(my $r, my $w) or die;
unless (fork) {
  $w->autoflush(1);
  for (my $n = 1; ; $n++) { print $w "$n\\n"; select(undef, undef, undef, 0.02) }
}
close $w;
my %seen;
while (<$r>) { chomp; $seen{$_}++; print keys %seen == $_ ? 'ok' : 'BAD', " $_\\n" }
`

realTest('perl with a child and a pipe', {
  ...counting,
  command: ['perl', 'count.pl'],
  files: { 'count.pl': perl },
})

const pipeline = `
for ((i = 1; ; i++)); do echo $i; ((i % 50)) || sleep 0.02; done |
  tr 0-9 a-j | while read -r word; do echo "$word"; done | tr a-j 0-9
`

realTest('a bash pipeline loses no line', {
  command: ['bash', 'pipeline.sh'],
  files: { 'pipeline.sh': pipeline },
  ready: '[ $(wc -l <out) -gt 500 ]',
  progress: 'wc -c <out',
  verify: "sed '$d' out | awk '$1 != NR { exit 1 }' && [ ! -s err ]",
})

const MODULES = 100
const cProject = (): Record<string, string> => {
  const names = Array.from({ length: MODULES }, (_, i) => `f${i}`)
  const sources = names.map((name, i): [string, string] => [
    `${name}.c`,
    `int ${name}(void) { return ${i}; }\n`,
  ])
  const sum = names.map((name) => `${name}()`).join(' + ')
  const main = `#include <stdio.h>
${names.map((name) => `int ${name}(void);`).join('\n')}
int main(void) { printf("%d\\n", ${sum}); return 0; }
`
  const makefile = `prog: main.o ${names.map((name) => `${name}.o`).join(' ')}
	cc -o $@ $^
%.o: %.c
	sleep 0.5; cc -c -o $@ $<
`
  return { ...Object.fromEntries(sources), 'main.c': main, Makefile: makefile }
}

realTest('make -j4 of a C project ends with a working program', {
  command: ['make', '-j4'],
  files: cProject(),
  ready: '[ $(ls *.o | wc -l) -ge 4 ]',
  progress: 'ls *.o | wc -l',
  verify: `await '[ ! -e /proc/$pid ]' && [ "$(./prog)" = ${(MODULES * (MODULES - 1)) / 2} ] && [ ! -s err ]`,
})

const inserts = `
sqlite3 db 'create table t (n integer primary key)'
i=0
while :; do
  i=$((i + 1))
  echo "insert into t values ($i); select 'ok', max(n) from t;"
  sleep 0.02
done | sqlite3 -separator ' ' db
`

realTest('sqlite3 writing in a loop', {
  command: ['sh', 'inserts.sh'],
  files: { 'inserts.sh': inserts },
  ready: '[ $(wc -l <out) -gt 20 ]',
  progress: 'wc -l <out',
  verify: `${counting.verify} &&
    kill -KILL -- -$pid && await '[ ! -e /proc/$pid ]' &&
    [ "$(sqlite3 -cmd '.timeout 20000' db 'pragma integrity_check')" = ok ] &&
    sqlite3 -cmd '.timeout 20000' db 'select n from t' | awk '$1 != NR { exit 1 }'`,
})

/*
 * A runtime without a compiler: this was made by javac --release 11 -g:none of
 *
 *   public class Counter {
 *       public static void main(String[] args) throws Exception {
 *           final long[] shared = new long[1];
 *           for (int i = 0; i < 3; i++) {
 *               Thread thread = new Thread(() -> {
 *                   while (true) {
 *                       synchronized (shared) { shared[0]++; }
 *                       try { Thread.sleep(1); } catch (InterruptedException e) { return; }
 *                   }
 *               });
 *               thread.setDaemon(true);
 *               thread.start();
 *           }
 *           long last = 0;
 *           for (int n = 1; ; n++) {
 *               Thread.sleep(20);
 *               byte[][] garbage = new byte[64][];
 *               for (int i = 0; i < garbage.length; i++) garbage[i] = new byte[16384];
 *               synchronized (shared) {
 *                   System.out.println((shared[0] >= last ? "ok " : "BAD ") + n);
 *                   last = shared[0];
 *               }
 *           }
 *       }
 *   }
 */
const counterClass = [
  'yv66vgAAADcAZAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWBwAIAQAQamF2YS9s',
  'YW5nL1RocmVhZBIAAAAKDAALAAwBAANydW4BABgoW0opTGphdmEvbGFuZy9SdW5uYWJsZTsKAAcADgwABQAPAQAXKExq',
  'YXZhL2xhbmcvUnVubmFibGU7KVYKAAcAEQwAEgATAQAJc2V0RGFlbW9uAQAEKFopVgoABwAVDAAWAAYBAAVzdGFydAUA',
  'AAAAAAAAFAoABwAaDAAbABwBAAVzbGVlcAEABChKKVYHAB4BAAJbQgkAIAAhBwAiDAAjACQBABBqYXZhL2xhbmcvU3lz',
  'dGVtAQADb3V0AQAVTGphdmEvaW8vUHJpbnRTdHJlYW07CAAmAQADb2sgCAAoAQAEQkFEIBIAAQAqDAArACwBABdtYWtl',
  'Q29uY2F0V2l0aENvbnN0YW50cwEAJyhMamF2YS9sYW5nL1N0cmluZztJKUxqYXZhL2xhbmcvU3RyaW5nOwoALgAvBwAw',
  'DAAxADIBABNqYXZhL2lvL1ByaW50U3RyZWFtAQAHcHJpbnRsbgEAFShMamF2YS9sYW5nL1N0cmluZzspVgcANAEAHmph',
  'dmEvbGFuZy9JbnRlcnJ1cHRlZEV4Y2VwdGlvbgcANgEAB0NvdW50ZXIBAARDb2RlAQAEbWFpbgEAFihbTGphdmEvbGFu',
  'Zy9TdHJpbmc7KVYBAA1TdGFja01hcFRhYmxlBwA8AQACW0oHAD4BAANbW0IHAEABABNbTGphdmEvbGFuZy9TdHJpbmc7',
  'BwBCAQAQamF2YS9sYW5nL1N0cmluZwcARAEAE2phdmEvbGFuZy9UaHJvd2FibGUBAApFeGNlcHRpb25zBwBHAQATamF2',
  'YS9sYW5nL0V4Y2VwdGlvbgEADWxhbWJkYSRtYWluJDABAAUoW0opVgEAEEJvb3RzdHJhcE1ldGhvZHMPBgBMCgBNAE4H',
  'AE8MAFAAUQEAImphdmEvbGFuZy9pbnZva2UvTGFtYmRhTWV0YWZhY3RvcnkBAAttZXRhZmFjdG9yeQEAzChMamF2YS9s',
  'YW5nL2ludm9rZS9NZXRob2RIYW5kbGVzJExvb2t1cDtMamF2YS9sYW5nL1N0cmluZztMamF2YS9sYW5nL2ludm9rZS9N',
  'ZXRob2RUeXBlO0xqYXZhL2xhbmcvaW52b2tlL01ldGhvZFR5cGU7TGphdmEvbGFuZy9pbnZva2UvTWV0aG9kSGFuZGxl',
  'O0xqYXZhL2xhbmcvaW52b2tlL01ldGhvZFR5cGU7KUxqYXZhL2xhbmcvaW52b2tlL0NhbGxTaXRlOxAABg8GAFQKADUA',
  'VQwASABJDwYAVwoAWABZBwBaDAArAFsBACRqYXZhL2xhbmcvaW52b2tlL1N0cmluZ0NvbmNhdEZhY3RvcnkBAJgoTGph',
  'dmEvbGFuZy9pbnZva2UvTWV0aG9kSGFuZGxlcyRMb29rdXA7TGphdmEvbGFuZy9TdHJpbmc7TGphdmEvbGFuZy9pbnZv',
  'a2UvTWV0aG9kVHlwZTtMamF2YS9sYW5nL1N0cmluZztbTGphdmEvbGFuZy9PYmplY3Q7KUxqYXZhL2xhbmcvaW52b2tl',
  'L0NhbGxTaXRlOwgAXQEAAgEBAQAMSW5uZXJDbGFzc2VzBwBgAQAlamF2YS9sYW5nL2ludm9rZS9NZXRob2RIYW5kbGVz',
  'JExvb2t1cAcAYgEAHmphdmEvbGFuZy9pbnZva2UvTWV0aG9kSGFuZGxlcwEABkxvb2t1cAAhADUAAgAAAAAAAwABAAUA',
  'BgABADcAAAARAAEAAQAAAAUqtwABsQAAAAAACQA4ADkAAgA3AAABBQAFAAgAAACOBLwLTAM9HAaiACC7AAdZK7oACQAA',
  'twANTi0EtgAQLbYAFIQCAaf/4QlBBDYEFAAXuAAZEEC9AB06BQM2BhUGGQW+ogATGQUVBhFAALwIU4QGAaf/6ytZOgbC',
  'sgAfKwMvIJSbAAgSJacABRInFQS6ACkAALYALSsDL0EZBsOnAAs6BxkGwxkHv4QEAaf/ogACAFoAfQCAAAAAgACFAIAA',
  'AAABADoAAABVAAn9AAYHADsB+gAh/QAEBAH9AA8HAD0B+gAX/wAUAAYHAD8HADsEAQcAPQcAAgABBwAu/wABAAYHAD8H',
  'ADsEAQcAPQcAAgACBwAuBwBBUwcAQ/kABwBFAAAABAABAEYQCgBIAEkAAQA3AAAAYgAGAAMAAAAeKllMwioDXC8KYVAr',
  'w6cACE0rwyy/CrgAGaf/50yxAAMABAANABAAAAAQABMAEAAAABUAGQAcADMAAQA6AAAAGgAEAP8ADwACBwA7BwACAAEH',
  'AEP6AARGBwAzAAIASgAAABIAAgBLAAMAUgBTAFIAVgABAFwAXgAAAAoAAQBfAGEAYwAZ',
].join('')

realTest('java with threads and garbage', {
  ...counting,
  command: ['java', '-cp', '.', 'Counter'],
  files: { 'Counter.class': Buffer.from(counterClass, 'base64') },
})
