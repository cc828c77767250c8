// Tells tasklib what vitest does, as it happens: one JSON object a line, appended to the file TASKLIB_EVENTS.
//
// The events are those of the pytest plugin (see inject/tasklib_in_pytest), and "left": a test that the name
// pattern leaves out. Uses only what vitest's reporter interface offers since version 3, and Node itself. The
// versions before tell of no single test: of theirs only the end is told, and the JSON report has the rest.

import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'

const LIMIT = 60000

export default class TasklibReporter {
  constructor() {
    this.path = process.env.TASKLIB_EVENTS
    // A vitest run inside a test is its own.
    delete process.env.TASKLIB_EVENTS
    this.total = 0
    this.left = 0
    this.slots = new Map()
    this.logs = new Map()
    this.told = new Set()
    this.ended = false
  }

  onInit(vitest) {
    const { root, testNamePattern, dangerouslyIgnoreUnhandledErrors } = vitest.config
    this.root = root
    this.pattern = testNamePattern
    this.forgiving = Boolean(dangerouslyIgnoreUnhandledErrors)
    this.send({ e: 'hello', pid: process.pid, root })
  }

  onTestModuleCollected(module) {
    for (const test of module.children.allTests()) {
      if (this.leftOut(test)) {
        this.left += 1
        this.send({ e: 'left', id: this.id(test) })
      } else {
        this.total += 1
      }
    }
    this.send({ e: 'collected', n: this.total, deselected: this.left })
  }

  onTestModuleEnd(module) {
    this.slots.delete(module.id)
    this.moduleErrors(module)
  }

  onTestSuiteResult(suite) {
    for (const error of suite.errors()) this.broken(`${this.file(suite.module)} > ${suite.fullName}`, 'collection', error, suite.module)
  }

  onTestCaseReady(test) {
    if (!this.leftOut(test)) this.send({ e: 'start', id: this.id(test), worker: this.slot(test.module), at: Date.now() / 1000 })
  }

  onTestCaseResult(test) {
    const logs = this.logs.get(test.id) ?? []
    this.logs.delete(test.id)
    if (this.leftOut(test)) return
    const { state, errors = [], note = '' } = test.result()
    const { duration = 0, retryCount = 0 } = test.diagnostic() ?? {}
    const common = { e: 'finish', id: this.id(test), worker: this.slot(test.module), at: Date.now() / 1000 }
    const failures = errors.map((error) => this.failure(error, test.module))
    const file = this.file(test.module)
    const last = state === 'failed' ? failures.slice(Math.min(retryCount, failures.length - 1)) : []
    for (const failure of failures.slice(0, failures.length - last.length)) {
      this.send({ ...common, outcome: 'rerun', seconds: [0, 0, 0], file, failures: [failure] })
    }
    const event = { ...common, outcome: state, seconds: [0, duration / 1000, 0] }
    if (state === 'passed' && test.options.fails) event.outcome = 'xfailed'
    if (state === 'skipped') event.why = test.options.mode === 'todo' ? 'todo' : note
    if (state === 'failed') Object.assign(event, { file, failures: last, sections: logs })
    this.send(event)
  }

  onUserConsoleLog({ taskId, type, content }) {
    if (!taskId) return
    const logs = this.logs.get(taskId) ?? []
    const last = logs.at(-1)
    if (last?.[0] === type) last[1] = cut(last[1] + content)
    else logs.push([type, cut(content)])
    this.logs.set(taskId, logs)
  }

  onTestRunEnd(modules, unhandled, reason) {
    // Version 3 does not end a module that could not be imported.
    for (const module of modules) this.moduleErrors(module)
    this.end(unhandled, reason === 'passed')
  }

  // Versions 1 and 2; version 3 calls it as well, after the above.
  onFinished(files, unhandled = []) {
    if (this.ended) return
    const tests = (tasks) => tasks.flatMap((task) => (task.tasks ? tests(task.tasks) : [task]))
    const chosen = tests(files).filter((test) => !this.pattern || test.mode !== 'skip' || test.result)
    this.send({ e: 'collected', n: chosen.length, deselected: tests(files).length - chosen.length })
    const failed = files.some((file) => file.result?.state === 'fail')
    this.end(unhandled, !failed && (this.forgiving || unhandled.length === 0))
  }

  end(unhandled, passed) {
    this.ended = true
    for (const error of this.forgiving ? [] : unhandled) {
      const file = error.VITEST_TEST_PATH ? relative(this.root, error.VITEST_TEST_PATH) : ''
      this.broken(file ? `${file} > unhandled error` : 'unhandled error', 'collection', error)
    }
    this.send({ e: 'end', code: passed ? 0 : 1 })
  }

  moduleErrors(module) {
    if (this.told.has(module.id)) return
    this.told.add(module.id)
    for (const error of module.errors()) this.broken(this.file(module), 'collection', error, module)
  }

  broken(id, kind, error, module) {
    const line = module && this.frame(error, module)?.line
    this.send({ e: 'broken', id, kind, message: message(error), detail: detail(error), line })
  }

  // The deepest frame in the test's own file, in terms of its source. Version 3 hands over the text alone.
  frame(error, module) {
    const stacks = error.stacks ?? [...(error.stack ?? '').matchAll(/^ +at .*?(\/[^():]+):(\d+):\d+/gm)].map(([, file, line]) => ({ file, line: Number(line) }))
    return stacks.find(({ file }) => file === module.moduleId)
  }

  failure(error, module) {
    const frame = this.frame(error, module)
    const place = frame ? { file: this.file(module), line: frame.line } : {}
    return { when: 'call', message: message(error), detail: detail(error), ...place }
  }

  // vitest has no word for "left out by the pattern": it calls such a test skipped.
  leftOut(test) {
    if (!this.pattern || test.result().state === 'failed' || test.options.mode === 'run') return false
    const names = [test.name]
    for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent) names.unshift(parent.name)
    this.pattern.lastIndex = 0
    return !this.pattern.test(names.join(' '))
  }

  // Modules that run at the same time are told apart by small numbers.
  slot(module) {
    if (!this.slots.has(module.id)) {
      const taken = new Set(this.slots.values())
      let free = 1
      while (taken.has(String(free))) free += 1
      this.slots.set(module.id, String(free))
    }
    return this.slots.get(module.id)
  }

  file(module) {
    return relative(this.root, module.moduleId)
  }

  id(test) {
    const project = test.project?.name
    return `${this.file(test.module)} > ${test.fullName}${project ? ` |${project}|` : ''}`
  }

  send(event) {
    if (!this.path) return
    try {
      appendFileSync(this.path, `${JSON.stringify(event)}\n`)
    } catch {
      this.path = undefined // Nobody listens any more.
    }
  }
}

function message(error) {
  return cut(`${error.name && error.name !== 'Error' ? `${error.name}: ` : ''}${error.message ?? error}`)
}

function detail(error) {
  const frames = (error.stacks ?? []).map(({ method, file, line, column }) => `    at ${method ? `${method} ` : ''}${file}:${line}:${column}`)
  const [title, ...raw] = (error.stack ?? '').split(/\n(?= +at )/)
  const own = raw.filter((frame) => !/\/node_modules\/|node:internal|new Promise/.test(frame))
  const said = error.message ? `${error.name ?? 'Error'}: ${error.message}` : title || String(error)
  const trace = [said, ...(frames.length ? frames : own)].join('\n')
  return cut(error.diff ? `${trace}\n\n${error.diff}` : trace)
}

function cut(text) {
  if (text.length <= LIMIT) return text
  const half = LIMIT / 2
  const left = text.slice(half, -half).split('\n').length - 1
  const what = left ? `${left} lines` : `${text.length - LIMIT} characters`
  return `${text.slice(0, half)}\n[... ${what} left out ...]\n${text.slice(-half)}`
}
