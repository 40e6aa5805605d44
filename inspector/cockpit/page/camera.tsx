import type { CameraView } from '../protocol.ts'
import { cameras, world } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** The last picture of each camera. */
export function Camera() {
  const all = cameras.value
  return (
    <Panel area="camera" title="Camera">
      {all === null && <Nothing>No camera was heard of yet.</Nothing>}
      {all?.length === 0 && <Nothing>This robot has no camera.</Nothing>}
      {all?.map((camera) => (
        <Sight key={camera.name} camera={camera} />
      ))}
    </Panel>
  )
}

function Sight({ camera: { frame, name } }: { readonly camera: CameraView }) {
  if (!frame) return <Nothing>{name} has taken no picture yet.</Nothing>
  const { bytes, cause, height, stampMs, width } = frame
  return (
    <figure class="sight">
      {cause === null ? (
        <img
          src={`/camera/${encodeURIComponent(name)}?at=${stampMs}`}
          alt={`What ${name} sees`}
          width={width}
          height={height}
        />
      ) : (
        <p class="warm">No picture: {cause}</p>
      )}
      <figcaption>
        {name} · {width} × {height} · {(bytes / 1_024).toFixed(1)} KiB{ageOf(stampMs)}
      </figcaption>
    </figure>
  )
}

/** One that is old is not what there is to see now. */
function ageOf(stampMs: number): string {
  const seconds = ((world.value?.atMs ?? stampMs) - stampMs) / 1_000
  return seconds > 2 ? ` · ${seconds.toFixed(0)} s ago` : ''
}
