import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Both ways to start criu, in a directory and a home that hold everything by which Bun could be made
 * to run foreign code. Each trap leaves a file behind when it goes off.
 */
const checkout = resolve(import.meta.dir, '../..')
const programs = {
  'bin/criu': join(checkout, 'bin/criu'),
  'dist/criu': join(checkout, 'dist/criu'),
}

let directory = ''
const sprung = (): string[] => readdirSync(join(directory, 'sprung'))

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hostile-'))
  mkdirSync(join(directory, 'sprung'))
  if (!existsSync(programs['dist/criu'])) build()
  for (const name of ['bunfig', 'env', 'dependency', 'alias', 'home']) trap(name)
  put('bunfig.toml', `preload = ["${join(directory, 'bunfig.js')}"]\n`)
  put('home/.bunfig.toml', `preload = ["${join(directory, 'home.js')}"]\n`)
  put('.env', `BUN_OPTIONS="--preload=${join(directory, 'env.js')}"\nPATH=/nowhere\n`)
  put('package.json', JSON.stringify(hostilePackage))
  put('tsconfig.json', JSON.stringify({ compilerOptions: { paths: hostilePaths() } }))
  for (const name of ['koffi', '@bufbuild/protobuf', 'fs', 'node:fs', 'util']) dependency(name)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(Object.entries(programs))('%s', (_, program) => {
  test.each([
    [['--version']],
    [['--help']],
    [['dump', '-t', '0']],
    [['dump', '-t', '4194303']],
  ])('%p runs nothing of the directory', (argv) => {
    const run = Bun.spawnSync([program, ...argv], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: join(directory, 'home') },
    })
    expect(sprung()).toEqual([])
    expect(run.signalCode).toBeUndefined()
    if (argv[0] === '--version') expect(run.stdout.toString()).toBe('Version: 4.2\n')
  })
})

test('bin/criu does not pass on variables that would change Bun', () => {
  const run = Bun.spawnSync([programs['bin/criu'], '--version'], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? '',
      BUN_OPTIONS: `--preload=${join(directory, 'env.js')}`,
      BUN_BE_BUN: '1',
    },
  })
  expect(run.stdout.toString()).toBe('Version: 4.2\n')
  expect(sprung()).toEqual([])
})

test('the traps do go off where Bun is started plainly', () => {
  put('plain.js', '')
  const env = { ...process.env, HOME: join(directory, 'home') }
  Bun.spawnSync([process.execPath, 'plain.js'], { cwd: directory, env })
  expect(sprung()).not.toEqual([])
})

const hostilePackage = {
  name: 'hostile',
  type: 'commonjs',
  imports: { '#x': './alias.js' },
  scripts: { criu: 'touch sprung/script', dump: 'touch sprung/script' },
}

const hostilePaths = () => ({ '*': [join(directory, 'alias.js')] })

function put(name: string, text: string): void {
  const path = join(directory, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

/** A module that says that it ran. */
function trap(name: string): void {
  const mark = JSON.stringify(join(directory, 'sprung', name))
  put(`${name}.js`, `require('node:fs').writeFileSync(${mark}, '')\n`)
}

function dependency(name: string): void {
  const mark = JSON.stringify(join(directory, 'sprung', 'dependency'))
  put(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }))
  put(`node_modules/${name}/index.js`, `require('node:fs').writeFileSync(${mark}, '')\n`)
}

function build(): void {
  const run = Bun.spawnSync(['bash', join(checkout, 'scripts/build.sh')])
  if (run.exitCode !== 0) throw new Error(run.stderr.toString())
}
