// The page's own program: it shows what stands in the element #data (see page.ts), asks nobody for
// anything, and draws only the rows of a table that can be seen.

const data = JSON.parse(document.getElementById('data').textContent)
const ROW = 26
const PAGE = 4096

/** `element('b', {className: 'x', onclick}, 'text', child)`. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value
    else made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

function size(bytes) {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const text = value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)
  return `${text} ${units[unit]}`
}

const milliseconds = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`

/** Mappings come as rows of plain values, names and kinds as numbers (page.ts). */
const mappingsOf = (process) =>
  (process.mappings ?? []).map(
    ([start, pages, access, kind, name, offset, present, inParent, shared]) => ({
      start,
      address: BigInt(start),
      pages,
      access: access + (shared ? 's' : 'p'),
      kind: data.kinds[kind],
      name: data.names[name],
      offset,
      saved: present + inParent,
      inParent,
    }),
  )

// ---- tables ----

/**
 * A table of any length: rows are of one height, and only those in sight are elements. A click on a
 * head sorts by it, a second one the other way round.
 */
class Table {
  constructor(columns, rows, label) {
    this.columns = columns
    this.all = rows
    this.rows = rows
    this.marked = undefined
    this.sorted = { column: undefined, down: false }
    this.body = element('div', { className: 'rows' })
    this.head = element('div', { className: 'row head', role: 'row' })
    this.root = element(
      'div',
      { className: 'table', role: 'table', 'aria-label': label, tabIndex: 0 },
      this.head,
      this.body,
    )
    this.root.style.setProperty('--columns', columns.map(({ width }) => width).join(' '))
    this.root.addEventListener('scroll', () => this.draw())
    new ResizeObserver(() => this.draw()).observe(this.root)
    this.drawHead()
    this.show(rows)
  }

  drawHead() {
    const { column: by, down } = this.sorted
    this.head.replaceChildren(
      ...this.columns.map((column) =>
        element('button', {
          role: 'columnheader',
          className: column.number ? 'number' : '',
          textContent: column.title + (column === by ? (down ? ' ↓' : ' ↑') : ''),
          onclick: () => this.sortBy(column),
        }),
      ),
    )
  }

  sortBy(column) {
    const down = this.sorted.column === column ? !this.sorted.down : Boolean(column.number)
    this.sorted = { column, down }
    this.drawHead()
    this.show(this.rows)
  }

  /** Shows these of all rows, in the chosen order. */
  show(rows) {
    const { column, down } = this.sorted
    const value = column?.sort ?? column?.value
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)]
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1)
    }
    this.rows = column === undefined ? rows : rows.toSorted(order)
    this.body.style.height = `${this.rows.length * ROW}px`
    this.draw()
  }

  draw() {
    const first = Math.max(0, Math.floor(this.root.scrollTop / ROW) - 4)
    const last = first + Math.ceil((this.root.clientHeight || 800) / ROW) + 8
    this.body.replaceChildren(
      ...this.rows.slice(first, last).map((row, i) => this.line(row, first + i)),
    )
  }

  line(row, index) {
    const marked = row === this.marked ? ' marked' : ''
    const line = element('div', {
      className: `row${index % 2 ? ' odd' : ''}${marked}`,
      role: 'row',
    })
    line.style.top = `${index * ROW}px`
    for (const { value, text, number, mono } of this.columns) {
      const shown = String((text ?? value)(row) ?? '')
      const className = [number && 'number', mono && 'mono'].filter(Boolean).join(' ')
      line.append(element('span', { role: 'cell', className, textContent: shown, title: shown }))
    }
    return line
  }

  /** Brings a row into sight and marks it. */
  reveal(row) {
    this.marked = row
    const index = this.rows.indexOf(row)
    if (index >= 0) this.root.scrollTop = index * ROW - this.root.clientHeight / 2
    this.draw()
  }
}

/** A table with a field to search in it. */
function searchable(table, matches, ...besides) {
  const count = element('span', { className: 'soft' })
  const tell = () => {
    count.textContent = `${table.rows.length} of ${table.all.length}`
  }
  const search = element('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search' })
  const filter = () => {
    const word = search.value.toLowerCase()
    table.show(table.all.filter((row) => matches(row, word)))
    tell()
  }
  search.addEventListener('input', filter)
  tell()
  return { bar: element('div', { className: 'bar' }, search, count, ...besides), filter }
}

const tableTab = (columns, rows, label) => () => {
  const table = new Table(columns, rows, label)
  const text = (row) =>
    columns.map(({ value, text: shown }) => (shown ?? value)(row) ?? '').join(' ')
  const { bar } = searchable(table, (row, word) => text(row).toLowerCase().includes(word))
  return [bar, table.root]
}

// ---- memory ----

const WEIGHTS = {
  size: ({ pages }) => pages,
  saved: ({ saved }) => saved,
  equal: () => 1,
}

function memoryTab(process) {
  const mappings = mappingsOf(process)
  const table = new Table(memoryColumns(mappings), mappings, 'Mappings')
  const chosen = new Set()
  const { bar, filter } = searchable(
    table,
    ({ kind, name, start, access }, word) =>
      (chosen.size === 0 || chosen.has(kind)) &&
      `${start} ${access} ${kind} ${name}`.toLowerCase().includes(word),
  )
  const map = new MemoryMap(table)
  const refresh = () => {
    filter()
    map.draw()
  }
  bar.firstChild.addEventListener('input', refresh)
  const kinds = element(
    'div',
    { className: 'bar', id: 'kinds' },
    ...kindChoices(mappings, chosen, refresh),
  )
  requestAnimationFrame(() => map.draw())
  return [kinds, map.modes, map.canvas, map.hint, bar, table.root]
}

const offsetText = ({ offset }) => (offset ? `0x${offset.toString(16)}` : '')
const bytesOf = (pages) => (pages ? size(pages * PAGE) : '')

/** Which pages are in a parent's images is of interest only where some are. */
const memoryColumns = (mappings) => [
  { title: 'Address', width: '9.5rem', mono: true, value: (m) => m.start, sort: (m) => m.address },
  {
    title: 'Size',
    width: '4.5rem',
    number: true,
    value: (m) => m.pages,
    text: (m) => bytesOf(m.pages),
  },
  {
    title: 'Saved',
    width: '4.5rem',
    number: true,
    value: (m) => m.saved,
    text: (m) => bytesOf(m.saved),
  },
  ...(mappings.some(({ inParent }) => inParent > 0)
    ? [
        {
          title: 'In parent',
          width: '5rem',
          number: true,
          value: (m) => m.inParent,
          text: (m) => bytesOf(m.inParent),
        },
      ]
    : []),
  { title: 'Access', width: '3.5rem', mono: true, value: (m) => m.access },
  { title: 'Kind', width: '6rem', value: (m) => m.kind },
  { title: 'Name', width: 'minmax(14rem, 1fr)', mono: true, value: (m) => m.name },
  { title: 'Offset', width: '6rem', mono: true, value: (m) => m.offset, text: offsetText },
]

/** A button for each kind, with what it takes; the chosen ones are shown, all where none is. */
function kindChoices(mappings, chosen, refresh) {
  const sums = new Map()
  for (const { kind, pages, saved } of mappings) {
    const sum = sums.get(kind) ?? { pages: 0, saved: 0, count: 0 }
    sums.set(kind, { pages: sum.pages + pages, saved: sum.saved + saved, count: sum.count + 1 })
  }
  return data.kinds
    .filter((kind) => sums.has(kind))
    .map((kind) => {
      const { pages, saved, count } = sums.get(kind)
      const swatch = element('i')
      swatch.style.background = `var(--${kind})`
      const text = `${kind} ${size(pages * PAGE)}, ${size(saved * PAGE)} saved`
      const button = element(
        'button',
        {
          className: 'choice',
          'aria-pressed': 'false',
          'data-kind': kind,
          title: `${count} mappings`,
        },
        swatch,
        text,
      )
      button.onclick = () => {
        if (!chosen.delete(kind)) chosen.add(kind)
        button.setAttribute('aria-pressed', String(chosen.has(kind)))
        refresh()
      }
      return button
    })
}

/** All mappings of a table side by side, in its order of addresses, each in the colour of its kind. */
class MemoryMap {
  constructor(table) {
    this.table = table
    this.mode = 'saved'
    this.canvas = element('canvas', { id: 'map', role: 'img', 'aria-label': 'Memory map' })
    this.hint = element('div', {
      id: 'hint',
      textContent: 'Point at the map to see a mapping, click to find it.',
    })
    this.modes = element(
      'div',
      { className: 'bar' },
      element('span', { className: 'soft', textContent: 'Width by' }),
    )
    for (const mode of Object.keys(WEIGHTS)) this.modes.append(this.modeButton(mode))
    this.canvas.addEventListener('mousemove', (event) => this.point(event))
    this.canvas.addEventListener('click', (event) => this.find(event))
    new ResizeObserver(() => this.draw()).observe(this.canvas)
  }

  modeButton(mode) {
    return element('button', {
      className: 'choice',
      textContent: mode,
      'data-mode': mode,
      'aria-pressed': String(mode === this.mode),
      onclick: () => {
        this.mode = mode
        for (const button of this.modes.querySelectorAll('button')) {
          button.setAttribute('aria-pressed', String(button.dataset.mode === mode))
        }
        this.draw()
      },
    })
  }

  draw() {
    const { canvas } = this
    const ratio = devicePixelRatio || 1
    const width = Math.round(canvas.clientWidth * ratio)
    const height = Math.round(canvas.clientHeight * ratio)
    Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d')
    const weight = WEIGHTS[this.mode]
    const rows = this.table.rows.toSorted((a, b) => (a.address < b.address ? -1 : 1))
    const total = rows.reduce((sum, row) => sum + weight(row), 0)
    const colours = this.colours()
    this.places = []
    let at = 0
    for (const row of rows) {
      const part = total === 0 ? 0 : (weight(row) / total) * width
      if (part === 0) continue
      context.fillStyle = colours[row.kind]
      context.fillRect(at, 0, Math.max(part - (part > 3 ? 1 : 0), 0.5), height)
      at += part
      this.places.push({ end: at / ratio, row })
    }
  }

  /** What the style sheet says now: it depends on dark and light. */
  colours() {
    const probe = element('i')
    document.body.append(probe)
    const found = {}
    for (const kind of data.kinds) {
      probe.style.color = `var(--${kind})`
      found[kind] = getComputedStyle(probe).color
    }
    probe.remove()
    return found
  }

  at({ offsetX }) {
    let low = 0
    let high = this.places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.places[middle].end <= offsetX) low = middle + 1
      else high = middle
    }
    return this.places[low]?.row
  }

  point(event) {
    const row = this.at(event)
    if (row === undefined) return
    const { start, pages, saved, access, kind, name } = row
    this.hint.textContent = `${start} ${size(pages * PAGE)}, ${size(saved * PAGE)} saved, ${access} ${kind} ${name}`
  }

  find(event) {
    const row = this.at(event)
    if (row !== undefined) this.table.reveal(row)
  }
}

// ---- what else a process has ----

function processTab(process) {
  const facts = [
    ['Command', process.command.join(' ') || process.comm],
    ['Program', process.exe],
    [
      'State',
      process.state === 'dead' ? `dead, exit code ${process.exitCode >>> 8}` : process.state,
    ],
    ['Parent', process.ppid],
    ['Group, session', `${process.pgid}, ${process.sid}`],
    ['User, group', process.uid === undefined ? undefined : `${process.uid}, ${process.gid}`],
    ['Directory', process.cwd],
    ['Root', process.root],
    ['Memory', process.mappings && `${size(process.size)}, ${size(process.saved)} saved`],
    ['Threads', process.threads.map(({ tid, comm }) => (comm ? `${tid} ${comm}` : tid)).join(', ')],
    [
      'Namespaces',
      Object.entries(process.namespaces)
        .map(([kind, id]) => `${kind} ${id}`)
        .join(', '),
    ],
  ]
  const list = element('dl')
  for (const [name, value] of facts) {
    if (value === undefined || value === '') continue
    list.append(element('dt', { textContent: name }), element('dd', { textContent: value }))
  }
  return [list]
}

const descriptorColumns = [
  { title: 'Fd', width: '4rem', number: true, value: (d) => d.fd },
  { title: 'Type', width: '8rem', value: (d) => d.type },
  { title: 'File', width: '4rem', number: true, value: (d) => d.id },
  { title: 'On exec', width: '5rem', value: (d) => (d.closeOnExec ? 'closed' : 'kept') },
  { title: 'Name', width: 'minmax(18rem, 1fr)', mono: true, value: (d) => d.name },
]

// ---- what all have in common ----

const fileColumns = [
  { title: 'Id', width: '4rem', number: true, value: (f) => f.id },
  { title: 'Type', width: '8rem', value: (f) => f.type },
  { title: 'Flags', width: '12rem', value: (f) => f.flags },
  { title: 'Name', width: 'minmax(18rem, 1fr)', mono: true, value: (f) => f.name },
]

const socketColumns = [
  { title: 'Id', width: '4rem', number: true, value: (s) => s.id },
  { title: 'Family', width: '6rem', value: (s) => s.family },
  { title: 'Protocol', width: '7rem', value: (s) => s.protocol ?? s.type },
  { title: 'State', width: '9rem', value: (s) => s.state },
  { title: 'Queued', width: '6rem', number: true, value: (s) => s.queued },
  { title: 'Local', width: 'minmax(14rem, 1fr)', mono: true, value: (s) => s.local },
  { title: 'Remote', width: 'minmax(14rem, 1fr)', mono: true, value: (s) => s.remote },
]

const mountColumns = [
  { title: 'Namespace', width: '6rem', number: true, value: (m) => m.namespace },
  { title: 'Id', width: '5rem', number: true, value: (m) => m.id },
  { title: 'Type', width: '8rem', value: (m) => m.type },
  { title: 'Source', width: '12rem', mono: true, value: (m) => m.source },
  { title: 'Mountpoint', width: 'minmax(14rem, 1fr)', mono: true, value: (m) => m.mountpoint },
  { title: 'Options', width: 'minmax(14rem, 1fr)', mono: true, value: (m) => m.options },
]

const imageColumns = [
  { title: 'File', width: 'minmax(18rem, 1fr)', mono: true, value: (i) => i.name },
  { title: 'Size', width: '7rem', number: true, value: (i) => i.size, text: (i) => size(i.size) },
]

/** Stages one after the other where the log tells of them; the times of stats-dump as bars. */
function timelineTab() {
  const { stages, statistics } = data
  const grid = element('div', { className: 'timeline', id: 'timeline' })
  const bar = (name, start, duration, whole) => {
    const track = element('div', { className: 'track' }, element('i'))
    track.firstChild.style.left = `${(start / whole) * 100}%`
    track.firstChild.style.width = `${(duration / whole) * 100}%`
    grid.append(
      element('span', { textContent: name }),
      track,
      element('b', { textContent: milliseconds(duration) }),
    )
  }
  if (stages.length > 0) {
    grid.append(element('h3', { textContent: 'Stages, from the log' }))
    const end = Math.max(...stages.map(({ start, duration }) => start + duration))
    for (const { name, start, duration } of stages) bar(name, start, duration, end)
  }
  if (statistics) {
    grid.append(element('h3', { textContent: 'Times, from stats-dump' }))
    const times = [
      ['freezing', statistics.freezing],
      ['frozen', statistics.frozen],
      ['memory dump', statistics.memoryDump],
      ['memory write', statistics.memoryWrite],
    ]
    const whole = Math.max(1, ...times.map(([, micros]) => micros))
    for (const [name, micros] of times) bar(name, 0, micros / 1000, whole / 1000)
  }
  if (grid.childElementCount > 0) return [grid]
  return [
    element('p', { className: 'soft', textContent: 'Neither a log nor statistics are there.' }),
  ]
}

// ---- the page ----

/** Tabs of a process, or of the whole where `pid` is 0. */
function tabsOf(pid) {
  if (pid === 0) {
    return {
      Timeline: timelineTab,
      Files: tableTab(fileColumns, data.files, 'Open files'),
      Sockets: tableTab(socketColumns, data.sockets, 'Sockets'),
      Mounts: tableTab(mountColumns, data.mounts, 'Mounts'),
      Images: tableTab(imageColumns, data.images, 'Image files'),
    }
  }
  const process = byPid.get(pid)
  return {
    ...(process.mappings && { Memory: () => memoryTab(process) }),
    ...(process.mappings && {
      Descriptors: tableTab(descriptorColumns, process.descriptors, 'Descriptors'),
    }),
    Process: () => processTab(process),
  }
}

const byPid = new Map(data.processes.map((process) => [process.pid, process]))
const main = document.querySelector('main')
const nav = document.querySelector('nav')
let shown = { pid: 0, tab: '' }

function show(pid, tab) {
  const tabs = tabsOf(pid)
  const name = tabs[tab] ? tab : Object.keys(tabs)[0]
  shown = { pid, tab: name }
  history.replaceState(null, '', `#${pid}/${name}`)
  for (const button of nav.querySelectorAll('button')) {
    button.setAttribute('aria-current', String(Number(button.dataset.pid) === pid))
  }
  const process = byPid.get(pid)
  const title = process ? `${pid} ${process.command.join(' ') || process.comm}` : 'The whole tree'
  const list = element('div', { role: 'tablist' })
  for (const other of Object.keys(tabs)) {
    list.append(
      element('button', {
        role: 'tab',
        textContent: other,
        'aria-selected': String(other === name),
        onclick: () => show(pid, other),
      }),
    )
  }
  const panel = element('div', { role: 'tabpanel' })
  main.replaceChildren(element('h2', { textContent: title }), list, panel)
  panel.append(...tabs[name]())
}

function treeList(processes) {
  const children = Map.groupBy(processes, ({ ppid, pid }) =>
    ppid !== pid && byPid.has(ppid) ? ppid : 0,
  )
  const top = element('ul', { id: 'tree' })
  const left = [[top, children.get(0) ?? []]]
  for (let next = left.pop(); next; next = left.pop()) {
    const [list, members] = next
    for (const process of members) {
      const item = element('li', {}, processButton(process))
      list.append(item)
      const below = children.get(process.pid)
      if (!below) continue
      const inner = element('ul')
      item.append(inner)
      left.push([inner, below])
    }
  }
  return top
}

function processButton(process) {
  const { pid, comm, mappings, saved, threads, state } = process
  const about = mappings
    ? `${size(saved)}, ${threads.length} thread${threads.length === 1 ? '' : 's'}${state === 'alive' ? '' : `, ${state}`}`
    : state
  return navButton(pid, `${pid} ${comm}`, about)
}

const navButton = (pid, name, about) =>
  element(
    'button',
    { 'data-pid': String(pid), onclick: () => show(pid, shown.tab) },
    element('span', { className: 'name', textContent: name, title: name }),
    element('span', { className: 'soft', textContent: about }),
  )

function header() {
  const facts = [
    [String(data.processes.length), data.processes.length === 1 ? 'process' : 'processes'],
    [size(data.saved), 'of memory'],
    [
      size(data.images.reduce((sum, image) => sum + image.size, 0)),
      `in ${data.images.length} files`,
    ],
    ...(data.statistics ? [[milliseconds(data.statistics.frozen / 1000), 'frozen']] : []),
  ]
  return [
    element('h1', { textContent: data.directory }),
    ...facts.map(([value, text]) =>
      element(
        'span',
        { className: 'fact' },
        element('b', { textContent: value }),
        ` `,
        element('span', { textContent: text }),
      ),
    ),
    element('button', { id: 'theme', textContent: 'Dark / light', onclick: toggleTheme }),
  ]
}

function toggleTheme() {
  const root = document.documentElement
  const dark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches
  root.dataset.theme = dark ? 'light' : 'dark'
  show(shown.pid, shown.tab)
}

document.title = `criu: ${data.directory}`
document.querySelector('header').append(...header())
nav.append(navButton(0, 'All', 'timeline, files, sockets, mounts'), treeList(data.processes))
const [pid, tab] = location.hash.slice(1).split('/')
show(byPid.has(Number(pid)) ? Number(pid) : 0, tab)
