import type { Proof } from '../machines/proof/prove.ts'

/** `docs/safety.md`: what was explored, what was found, and what software cannot promise. The same proof, the same text. */
export function safetyPage(proof: Proof): string {
  const { machines, mutants, livePaths } = proof
  return `${[
    '# Safety',
    '',
    'Written by `npm run charts` from what `mechos prove` finds. A test fails when this page is stale.',
    '',
    ...frame,
    '',
    '## What is promised, and shown here',
    '',
    '1. **Halted is still.** The first thing that `halted` does is to trip the motion gate, which puts every actuator at its',
    '   declared safe output. Nothing leaves `halted` but a person’s `robot.reset`, and then it takes `robot.arm` with the present',
    '   epoch, and a new command, before anything can move. The model can do none of the three.',
    '2. **Every path leads there.** From every state of the root but `off`, with every child finished, failed or late,',
    '   `robot.halt` reaches `halted` in one macrostep.',
    '3. **No throw in a chart goes unnoticed.** Every action of a chart is executed as it is explored, on the way out of a state',
    '   too; one that throws, or that nobody has written, breaks the proof. (That the gate shuts all the same is shown by fault',
    '   injection, in the tests of the gate.)',
    '',
    '## What was explored',
    '',
    'The root runs with its children abstracted: any of them may fail or end at any moment, for the first time or once too often;',
    'any timer may fire; board, guardian and failsafe may change as their own charts let them; and a person, or a program in a',
    'person’s name, may say anything at any time, with old and with future epochs, and to a robot that has grown old. Kernel, wheels,',
    'relays and agent are followed through every word that the root says to them. Up to two children that are missing or unwell are',
    'told apart by name; where there are more, places count as one when the root remembers the same and those who are missing fall',
    'under the same policies. There are two starts: after a clean end, and after an unclean one.',
    '',
    ...table(
      ['what', 'number'],
      [
        ['states of the whole robot', proof.states],
        ['steps between them', proof.edges],
        ['halts that failed', proof.haltFailures],
        ['escapes from a rule about standing still', proof.escapes],
        ['errors', proof.errorStates],
        ['shortest paths that a living root was led along', livePaths.replayed],
        ['of these, that went elsewhere', livePaths.mismatches.length],
      ],
    ),
    '',
    'Each chart was explored for itself, too. Every state and every transition is to be visited, a guarded alternative for itself;',
    'one that nothing leads to breaks the proof.',
    '',
    ...table(
      ['chart', 'states visited', 'transitions visited'],
      machines.map(({ id, ...counts }) => [
        `[${id}](charts/${id}.md)`,
        `${counts.statesVisited} of ${counts.states}`,
        `${counts.transitionsVisited} of ${counts.transitions}`,
      ]),
    ),
    '',
    '## The rules',
    '',
    'Each held at each of the steps, or holds of the charts as they are written:',
    '',
    ...proof.rules.map((rule) => `- ${rule}`),
    '- every state but `off` is left by something else than a halt',
    '',
    '## Mistakes made on purpose',
    '',
    'A rule that nothing can break shows nothing. So mistakes were put into the root, one at a time, and each had to be caught:',
    '',
    ...table(
      ['a root in which', 'is caught by'],
      mutants.map(({ name, by }) => [name, by ?? '**nothing**']),
    ),
    '',
    '## What this does not show',
    '',
    'It shows what the charts decide. That the gate obeys them, that the bytes reach the board, and that the board obeys the bytes is',
    'shown by other tests: fault injection, whole runs on the real firmware in an emulated chip, and `kill -9`. No test shows that a',
    'wire is connected.',
  ].join('\n')}\n`
}

const frame = [
  '**`halted` is a state of software. It is not a safety-rated emergency stop** in the sense of ISO 13850 or IEC 60204-1, and nothing',
  'here has been certified for anything. Coasting and releasing are like a category 0 stop; braking and holding keep power on and are',
  'no emergency stop at all.',
  '',
  'Put a switch into the motor supply, within your reach while the robot drives. Releasing it must not set the robot in motion: halt',
  'the robot before you switch its power back on.',
]

function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}
