import { expect, test, vi } from 'vitest'
import type { ImageReading } from '../../../core/vocabulary/reading.ts'
import { camerasMax, createGallery, pictureBytesMax } from '../../../inspector/cockpit/gallery.ts'
import { pictureOf } from '../../../inspector/cockpit/picture.ts'

const frame = (more: Partial<ImageReading> = {}): ImageReading => ({
  kind: 'image',
  name: 'front',
  stampMs: 1_000,
  pixelFormat: 'jpeg',
  width: 640,
  height: 480,
  data: new Uint8Array(1_000),
  ...more,
})

/** A gallery of one camera, and what hangs there once it was seen to. */
function aGallery(first?: ImageReading, name = 'front') {
  let now = first
  const failures: string[] = []
  const gallery = createGallery(
    () => [{ name, frame: now }],
    (cause) => failures.push(cause),
  )
  const hung = async () => {
    gallery.look()
    return vi.waitFor(() => {
      const view = gallery.cameras[0]?.frame
      if (!view || view.stampMs !== now?.stampMs) throw new Error('it does not hang yet')
      return view
    })
  }
  const show = (next: ImageReading) => {
    now = next
    return hung()
  }
  return { failures, gallery, hung, show }
}

test('a JPEG file is shown as it is, at the path of its camera and at no other', async () => {
  const data = Uint8Array.from([0xff, 0xd8, 1, 2, 3])
  const { gallery, hung } = aGallery(frame({ data }), 'front left')
  expect(await hung()).toEqual({ stampMs: 1_000, width: 640, height: 480, bytes: 5, cause: null })
  expect(gallery.pictureAt('/camera/front%20left')).toEqual({
    type: 'image/jpeg',
    body: Buffer.from(data),
  })
  for (const path of ['/camera/front left', '/camera/', '/camera/other', '/camera/..']) {
    expect(gallery.pictureAt(path)).toBeUndefined()
  }
})

test('pixels become a PNG file', async () => {
  const data = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
  const { body, type } = await pictureOf(frame({ pixelFormat: 'rgb8', width: 2, height: 2, data }))
  expect(type).toBe('image/png')
  expect([...body.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
  expect([body.readUInt32BE(16), body.readUInt32BE(20)]).toEqual([2, 2])
  expect(body.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082')
})

test('one that is too large is not sent, and its size is told', async () => {
  const { gallery, hung } = aGallery(frame({ data: new Uint8Array(pictureBytesMax + 1) }))
  expect(await hung()).toMatchObject({
    bytes: pictureBytesMax + 1,
    cause: '65 KiB are too many: at most 64 KiB are sent',
  })
  expect(gallery.pictureAt('/camera/front')).toBeUndefined()
})

test('pixels that are not as many as they should be are no picture, and no failure', async () => {
  const { failures, gallery, hung } = aGallery(frame({ pixelFormat: 'rgb8' }))
  expect(await hung()).toMatchObject({ cause: 'its 1000 bytes are no picture of 640 × 480' })
  expect(gallery.pictureAt('/camera/front')).toBeUndefined()
  expect(failures).toEqual([])
})

test('nothing is told twice, and a frame that has not changed is not looked at again', async () => {
  const { gallery, hung, show } = aGallery(frame())
  await hung()
  expect(gallery.news()).toHaveLength(1)
  gallery.look()
  expect(gallery.news()).toBeUndefined()
  await show(frame({ stampMs: 2_000 }))
  expect(gallery.news()?.[0]?.frame?.stampMs).toBe(2_000)
})

test('nothing hangs there once nobody watches, not even what was being made', async () => {
  const { gallery, hung } = aGallery(frame())
  await hung()
  gallery.clear()
  expect(gallery.cameras).toEqual([])
  gallery.look()
  gallery.clear()
  await pictureOf(frame())
  expect(gallery.cameras).toEqual([])
  expect(gallery.pictureAt('/camera/front')).toBeUndefined()
})

test('a camera without a frame is told of, and those that are too many are not', () => {
  const gallery = createGallery(
    () => Array.from({ length: 20 }, (_, at) => ({ name: `eye ${at}`, frame: undefined })),
    () => {},
  )
  gallery.look()
  expect(gallery.news()).toHaveLength(camerasMax)
  expect(gallery.cameras[0]).toEqual({ name: 'eye 0', frame: null })
})

test('what fails when frames are asked for is told, and thrown at nobody', () => {
  const failures: string[] = []
  const broken = () => {
    throw new Error('the lens is broken')
  }
  createGallery(broken, (cause) => failures.push(cause)).look()
  expect(failures).toEqual(['the lens is broken'])
})
