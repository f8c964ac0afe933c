// Writes down in which order it is told what.
import { appendFileSync } from 'node:fs'

const note = (job, ...words) =>
  appendFileSync(`${job.imagesDir}/../told`, `${job.command} ${words.join(' ')}\n`)

export default {
  name: 'told',
  begin: (job) => note(job, 'begin'),
  end: (job, succeeded) => note(job, 'end', succeeded),
  pauseDevices: (pid, job) => note(job, 'pause', pid),
  checkpointDevices: (pid, job) => note(job, 'checkpoint', pid),
  resumeDevicesLate: (pid, job) => note(job, 'resume', pid),
}
