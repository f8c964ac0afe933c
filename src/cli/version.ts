/**
 * Upstream's version whose command line, RPC and images this program offers. Callers switch features
 * by it: see `criu --version` and RPC VERSION. There is no git id: a caller that sees one counts
 * the next minor version.
 */
export const compatibleVersion = { major: 4, minor: 2, sublevel: 0 } as const

/** What `criu --version` prints. */
export const versionText = `Version: ${compatibleVersion.major}.${compatibleVersion.minor}\n`
