import type { Finding } from './feature.ts'

/** The three verdicts, and the exit codes that go with them (criu(8)). */
export const VERDICT = {
  good: 'Looks good.',
  maybe:
    'Looks good but some kernel features are missing which, depending on your process tree, may cause dump or restore failure.',
  bad: 'Does not look good.',
} as const

/** What all findings together say. */
export function verdictOf(findings: readonly Finding[]): keyof typeof VERDICT {
  const missing = findings.filter((finding) => finding.missing !== undefined)
  if (missing.some(({ feature }) => feature.need === 'required')) return 'bad'
  return missing.length === 0 ? 'good' : 'maybe'
}

/** What is missing, what that costs, and what to do: a paragraph for each. */
export function reportText(findings: readonly Finding[]): string {
  return findings
    .filter(({ missing }) => missing !== undefined)
    .map(paragraph)
    .join('')
}

function paragraph({ feature, missing, remedy }: Finding): string {
  const lines = [
    `${feature.name}: ${feature.what}`,
    `  is missing:  ${missing}`,
    `  without it:  ${feature.cost}`,
    ...(remedy === undefined ? [] : [`  what to do:  ${remedy}`]),
  ]
  return `${lines.join('\n')}\n`
}
