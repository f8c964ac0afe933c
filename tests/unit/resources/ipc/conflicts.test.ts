import { afterEach, describe, expect, test } from 'bun:test'
import { sentence } from '../../../../src/errors/sentence.ts'
import { IPC } from '../../../../src/kernel/constants/ipc.ts'
import { readSysvMsg, readSysvSem, readSysvShm } from '../../../../src/kernel/proc/sysvipc.ts'
import { must, sys } from '../../../../src/kernel/sys.ts'
import { describe as entryOf } from '../../../../src/resources/ipc/desc.ts'
import { checkMsg, msgImage } from '../../../../src/resources/ipc/msg.ts'
import { checkSem } from '../../../../src/resources/ipc/sem.ts'
import { checkShm } from '../../../../src/resources/ipc/shm-restore.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const action of undo.splice(0)) action()
})

function newSem(): number {
  const id = must('semget', IPC.PRIVATE, 2, IPC.CREAT | 0o600)
  undo.push(() => sys('semctl', id, 0, IPC.RMID))
  return id
}

const said = (action: () => unknown): string => {
  try {
    action()
    return ''
  } catch (error) {
    return sentence(error)
  }
}

describe('objects that are there at a restore', () => {
  test('the tables of the namespace tell of a set, a queue and a segment', () => {
    const sem = newSem()
    const msg = must('msgget', IPC.PRIVATE, IPC.CREAT | 0o620)
    undo.push(() => sys('msgctl', msg, IPC.RMID, 0))
    const shm = must('shmget', IPC.PRIVATE, 5000, IPC.CREAT | 0o640)
    undo.push(() => sys('shmctl', shm, IPC.RMID, 0))
    expect(readSysvSem('/proc').find(({ id }) => id === sem)).toMatchObject({ key: 0, nsems: 2 })
    expect(readSysvMsg('/proc').find(({ id }) => id === msg)).toMatchObject({
      mode: 0o620,
      qnum: 0,
    })
    const found = readSysvShm('/proc').find(({ id }) => id === shm)
    expect(found).toMatchObject({ size: 5000n, nattch: 0, cpid: process.pid })
  })

  test('a set like that of the images has outlived its tasks', () => {
    const id = newSem()
    const found = readSysvSem('/proc').find((one) => one.id === id)!
    const entry = { desc: entryOf(found), nsems: 2 }
    expect(checkSem([{ entry, payload: new Uint8Array(8), parts: [] }])).toEqual([found])
  })

  test('one with another creator is in the way, and ipcrm is named', () => {
    const id = newSem()
    const found = readSysvSem('/proc').find((one) => one.id === id)!
    const entry = { desc: { ...entryOf(found), cuid: 4711 }, nsems: 2 }
    const message = said(() => checkSem([{ entry, payload: new Uint8Array(8), parts: [] }]))
    expect(message).toContain(`System V semaphore set ${id} (key 0x00000000) is not the one`)
    expect(message).toContain(`ipcrm -s ${id}`)
  })

  test('an attached segment is in the way', () => {
    const id = must('shmget', IPC.PRIVATE, 4096, IPC.CREAT | 0o600)
    undo.push(() => sys('shmctl', id, IPC.RMID, 0))
    const address = BigInt(must('shmat', id, 0, 0))
    undo.push(() => sys('shmdt', address))
    const found = readSysvShm('/proc').find((one) => one.id === id)!
    const entry = { desc: entryOf(found), size: 4096n, in_pagemaps: true }
    const message = said(() => checkShm([{ entry, payload: new Uint8Array(), parts: [] }]))
    expect(message).toContain('is there and attached by other processes')
  })

  test('another object with the key is in the way', () => {
    const key = 0x5eed7001
    const id = must('msgget', key, IPC.CREAT | IPC.EXCL | 0o600)
    undo.push(() => sys('msgctl', id, IPC.RMID, 0))
    const image = msgImage(readSysvMsg('/proc').find((one) => one.id === id)!)
    const desc = { ...image.entry.desc, id: id + 1 }
    const entry = { ...image.entry, desc }
    const message = said(() => checkMsg([{ entry, payload: new Uint8Array(), parts: [] }]))
    expect(message).toContain(`(key 0x5eed7001) has the key of message queue ${id + 1}`)
  })
})
