import { posix } from 'node:path'

/** src/imports.json; what each field means stands in it. */
export interface ImportRules {
  readonly layers: Readonly<Record<string, Layer>>
  readonly only: Readonly<Record<string, readonly string[]>>
  readonly nowhere: readonly string[]
  readonly computed: { readonly files: readonly string[] }
  readonly kinds: {
    readonly registry: string
    readonly areas: readonly string[]
    readonly bridges: readonly { readonly from: string; readonly to: readonly string[] }[]
  }
}

interface Layer {
  readonly files: readonly string[]
  readonly may: readonly string[]
  readonly packages?: readonly string[]
}

/** Paths from src to the text of the file. */
export type Sources = Readonly<Record<string, string>>

const STATIC = /^[ \t]*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm
const DYNAMIC = /\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/g
const COMPUTED = /(?<![\w.#])(?:import|require)\s*\(\s*[^'"\s)]/g

/** What a file imports in any form, types too; `*` for an import whose name is computed. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [
    ...[...code.matchAll(STATIC)].map((m) => m[1]!),
    ...[...code.matchAll(DYNAMIC)].map((m) => m[2]!),
    ...[...code.matchAll(COMPUTED)].map(() => '*'),
  ]
}

/** One sentence for each import that breaks a rule: file, import, rule. */
export function violations(sources: Sources, rules: ImportRules): string[] {
  const files = Object.keys(sources).sort()
  const kinds = new Set(
    importsOf(sources[rules.kinds.registry] ?? '')
      .map((name) => resolve(rules.kinds.registry, name))
      .filter((target) => rules.kinds.areas.some((area) => target.startsWith(area))),
  )
  return files.flatMap((file) => {
    if (layerOf(file, rules) === undefined) return [`${file}: belongs to no layer`]
    return importsOf(sources[file]!).flatMap((name) => {
      const broken = name.startsWith('.')
        ? localRule(file, resolve(file, name), sources, kinds, rules)
        : packageRule(file, name, rules)
      return broken === undefined ? [] : [`${file} imports ${name}: ${broken}`]
    })
  })
}

const resolve = (file: string, name: string): string => posix.join(posix.dirname(file), name)

/** The layer of a path: the one with the longest prefix of it. */
export function layerOf(path: string, rules: ImportRules): string | undefined {
  let best: { name: string; length: number } | undefined
  for (const [name, { files }] of Object.entries(rules.layers))
    for (const prefix of files)
      if (path.startsWith(prefix) && prefix.length > (best?.length ?? 0))
        best = { name, length: prefix.length }
  return best?.name
}

function localRule(
  file: string,
  target: string,
  sources: Sources,
  kinds: ReadonlySet<string>,
  rules: ImportRules,
): string | undefined {
  if (sources[target] === undefined) return 'there is no such file in src'
  const from = layerOf(file, rules)!
  const to = layerOf(target, rules)
  if (to === undefined) return 'belongs to no layer'
  if (to !== from && !rules.layers[from]!.may.includes(to)) return `${from} may not import ${to}`
  return kindRule(file, target, kinds, rules)
}

function kindRule(
  file: string,
  target: string,
  kinds: ReadonlySet<string>,
  rules: ImportRules,
): string | undefined {
  const { registry, areas, bridges } = rules.kinds
  const ownFolder = `${posix.dirname(target)}/`
  const isFolderOfKind = !areas.includes(ownFolder) && file.startsWith(ownFolder)
  if (kinds.has(target) && file !== registry && !isFolderOfKind)
    return 'only the registry imports a kind; kinds name others by id'
  const area = areas.find((prefix) => file.startsWith(prefix))
  const other = areas.find((prefix) => target.startsWith(prefix))
  const isIn = (path: string, place: string) =>
    place.endsWith('/') ? path.startsWith(place) : path === place
  const isBridge = bridges.some(
    ({ from, to }) => isIn(file, from) && to.some((place) => isIn(target, place)),
  )
  if (area && other && area !== other && !isBridge) return `${area} may not import ${other}`
  return undefined
}

function packageRule(file: string, name: string, rules: ImportRules): string | undefined {
  if (name === '*') {
    if (rules.computed.files.includes(file)) return undefined
    return 'a computed import cannot be checked'
  }
  const matches = (rule: string) => name === rule || name.startsWith(`${rule}/`)
  if (rules.nowhere.some(matches)) return 'nobody imports this'
  const only = Object.entries(rules.only).find(([rule]) => matches(rule))
  if (only) {
    return only[1].some((prefix) => file.startsWith(prefix))
      ? undefined
      : `only ${only[1].join(', ')} may`
  }
  const layer = layerOf(file, rules)!
  if (rules.layers[layer]!.packages?.some(matches)) return undefined
  return `${layer} may not import this package`
}
