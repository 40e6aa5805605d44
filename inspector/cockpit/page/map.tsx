import { useEffect, useRef } from 'preact/hooks'
import { ellipseOf } from '../../../core/motion/covariance.ts'
import type { Point, Pose } from '../../../core/vocabulary/geometry.ts'
import type { WorldView } from '../protocol.ts'
import { draft } from './goal.tsx'
import { mayDrive, samples, world } from './known.ts'
import { inked, type Inks } from './inks.ts'
import { Nothing, Panel } from './panel.tsx'

/** How far is shown from the robot to the edge, in metres. */
const reachMetres = 3.5

/** Where the robot is in `odom`, what it sees now, and where it has been in the last minute. */
export function Map() {
  const seen = world.value
  const pose = seen?.pose
  return (
    <Panel
      area="map"
      title="Map"
      aside={pose && `x ${pose.x.toFixed(2)} · y ${pose.y.toFixed(2)} m, odom`}
    >
      {seen && pose ? (
        <>
          <Canvas seen={seen} pose={pose} />
          <Facts seen={seen} />
        </>
      ) : (
        <Nothing>
          {seen ? 'This robot has no wheels, and so no pose.' : 'No pose was heard yet.'}
        </Nothing>
      )}
    </Panel>
  )
}

/** What the map shows, in words. */
function Facts({ seen: { covariance, geofence, planned, refused } }: { readonly seen: WorldView }) {
  return (
    <ul class="small map-facts">
      {covariance && <li>{sureness(covariance)}</li>}
      <li>
        {planned
          ? `${planned.source} drives ${tellTwist(planned.twist)} for ${(planned.leftMs / 1_000).toFixed(1)} s more`
          : 'No drive is under way.'}
      </li>
      <li>{geofence ? `geofence of ${geofence.length} corners` : 'No geofence is set.'}</li>
      {refused && (
        <li class="no">
          {refused.source} was refused {tellTwist(refused.twist)}: {refused.message}
        </li>
      )}
    </ul>
  )
}

/** Two standard deviations: what 19 of 20 headings are within, and 6 of 7 places. */
const sigmas = 2

function sureness(covariance: NonNullable<WorldView['covariance']>): string {
  const { major, minor } = ellipseOf(covariance, sigmas)
  const degrees = (sigmas * Math.sqrt(covariance.headingHeading) * 180) / Math.PI
  return `sure to ± ${major.toFixed(2)} × ${minor.toFixed(2)} m, ± ${degrees.toFixed(0)}° (2 σ)`
}

function tellTwist({ linear, angular }: NonNullable<WorldView['planned']>['twist']): string {
  return `${linear.toFixed(2)} m/s, ${angular.toFixed(2)} rad/s`
}

function Canvas({ seen, pose }: { readonly seen: WorldView; readonly pose: Pose }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (canvas.current) paint(canvas.current, seen, pose)
  })
  const choose = ({ offsetX, offsetY }: MouseEvent) => {
    const element = canvas.current
    if (!element || !mayDrive.value) return
    const scale = element.clientWidth / (2 * reachMetres)
    const x = pose.x + (offsetX - element.clientWidth / 2) / scale
    const y = pose.y - (offsetY - element.clientHeight / 2) / scale
    draft.value = `drive to x ${x.toFixed(1)} y ${y.toFixed(1)} in odom`
  }
  return (
    <canvas
      ref={canvas}
      role="img"
      onClick={choose}
      aria-label={`Map: the robot is at x ${pose.x.toFixed(1)}, y ${pose.y.toFixed(1)} metres and sees ${seen.obstacles.length} obstacles`}
    />
  )
}

function paint(canvas: HTMLCanvasElement, seen: WorldView, pose: Pose): void {
  const size = canvas.clientWidth
  const density = devicePixelRatio
  if (canvas.width !== Math.round(size * density)) {
    canvas.width = Math.round(size * density)
    canvas.height = canvas.width
  }
  const pen = canvas.getContext('2d')
  if (!pen || size === 0) return
  const scale = canvas.width / (2 * reachMetres)
  pen.setTransform(1, 0, 0, 1, 0, 0)
  pen.clearRect(0, 0, canvas.width, canvas.height)
  // From here on in metres of odom: x to the right, y up.
  pen.setTransform(
    scale,
    0,
    0,
    -scale,
    canvas.width / 2 - pose.x * scale,
    canvas.height / 2 + pose.y * scale,
  )
  const inks = inked()
  paintGrid(pen, pose, inks)
  paintPast(pen, inks)
  paintSeen(pen, seen, pose, inks)
  paintBounds(pen, seen, inks)
  paintWays(pen, seen, inks)
  paintRobot(pen, pose, inks)
  paintSureness(pen, seen, pose, inks)
}

function paintGrid(pen: CanvasRenderingContext2D, pose: Pose, inks: Inks): void {
  pen.strokeStyle = inks.line
  pen.lineWidth = 0.008
  pen.beginPath()
  for (let step = -Math.ceil(reachMetres); step <= Math.ceil(reachMetres); step++) {
    const x = Math.round(pose.x) + step
    const y = Math.round(pose.y) + step
    pen.moveTo(x, pose.y - reachMetres)
    pen.lineTo(x, pose.y + reachMetres)
    pen.moveTo(pose.x - reachMetres, y)
    pen.lineTo(pose.x + reachMetres, y)
  }
  pen.stroke()
}

/** The way, and what was seen every two seconds, where odom had it then. */
function paintPast(pen: CanvasRenderingContext2D, inks: Inks): void {
  const past = samples.value
  pen.fillStyle = inks.faint
  for (let index = past.length % 20; index < past.length; index += 20) {
    dots(pen, past[index]?.world.scan ?? [], 0.012)
  }
  pen.strokeStyle = inks.accent
  pen.globalAlpha = 0.5
  pen.lineWidth = 0.03
  pen.beginPath()
  past.forEach(({ world: { pose } }, index) => {
    if (!pose) return
    if (index === 0) pen.moveTo(pose.x, pose.y)
    else pen.lineTo(pose.x, pose.y)
  })
  pen.stroke()
  pen.globalAlpha = 1
}

function paintSeen(pen: CanvasRenderingContext2D, seen: WorldView, pose: Pose, inks: Inks): void {
  pen.fillStyle = inks.text
  dots(pen, seen.scan, 0.022)
  pen.strokeStyle = inks.warm
  pen.lineWidth = 0.025
  pen.beginPath()
  for (const { xMin, xMax, yMin, yMax } of seen.obstacles) {
    const corners = [
      { x: xMin, y: yMin },
      { x: xMax, y: yMin },
      { x: xMax, y: yMax },
      { x: xMin, y: yMax },
    ].map((corner) => inOdom(corner, pose))
    corners.forEach(({ x, y }, index) => (index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)))
    pen.closePath()
  }
  pen.stroke()
}

function paintBounds(pen: CanvasRenderingContext2D, { geofence }: WorldView, inks: Inks): void {
  if (!geofence) return
  pen.strokeStyle = inks.warm
  pen.lineWidth = 0.04
  pen.setLineDash([0.14, 0.07])
  trace(pen, geofence)
  pen.closePath()
  pen.stroke()
  pen.setLineDash([])
}

/** Where it drives, and in red where it was not let. */
function paintWays(
  pen: CanvasRenderingContext2D,
  { planned, refused }: WorldView,
  inks: Inks,
): void {
  pen.lineWidth = 0.05
  if (planned) {
    pen.strokeStyle = inks.accent
    trace(pen, planned.way)
    pen.stroke()
  }
  if (refused) {
    pen.strokeStyle = inks.halt
    pen.setLineDash([0.08, 0.06])
    trace(pen, refused.way)
    pen.stroke()
    pen.setLineDash([])
  }
}

function trace(pen: CanvasRenderingContext2D, points: readonly Point[]): void {
  pen.beginPath()
  points.forEach(({ x, y }, index) => (index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)))
}

function paintRobot(pen: CanvasRenderingContext2D, pose: Pose, inks: Inks): void {
  pen.fillStyle = inks.accent
  pen.beginPath()
  for (const corner of [
    { x: 0.17, y: 0 },
    { x: -0.1, y: 0.11 },
    { x: -0.05, y: 0 },
    { x: -0.1, y: -0.11 },
  ]) {
    const { x, y } = inOdom(corner, pose)
    pen.lineTo(x, y)
  }
  pen.fill()
}

function paintSureness(
  pen: CanvasRenderingContext2D,
  { covariance }: WorldView,
  { x, y }: Pose,
  inks: Inks,
): void {
  if (!covariance) return
  const { direction, major, minor } = ellipseOf(covariance, sigmas)
  pen.strokeStyle = inks.text
  pen.lineWidth = 0.02
  pen.beginPath()
  pen.ellipse(x, y, major, minor, direction, 0, 2 * Math.PI)
  pen.stroke()
}

function dots(pen: CanvasRenderingContext2D, points: readonly Point[], radius: number): void {
  for (const { x, y } of points) pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius)
}

/** A point of `base_link` in `odom`. */
function inOdom({ x, y }: Point, pose: Pose): Point {
  const cos = Math.cos(pose.heading)
  const sin = Math.sin(pose.heading)
  return { x: pose.x + x * cos - y * sin, y: pose.y + x * sin + y * cos }
}
