import type { Image } from '../graph.js';
import { annotationChanges, type Change, valueChange } from './config.js';

/** What two manifests say differently besides digests and sizes. Nothing where one image has none. */
export function manifestChanges(a: Image, b: Image): Change[] {
  const [x, y] = [a.manifest?.parsed, b.manifest?.parsed];
  if (x === undefined || y === undefined) return [];
  return [
    ...valueChange('manifest.mediatype', a.manifest!.mediaType, b.manifest!.mediaType),
    ...valueChange('manifest.artifacttype', x.artifactType, y.artifactType),
    ...annotationChanges('manifest.annotations', x.annotations, y.annotations),
    ...x.layers.flatMap((layer, i) => {
      const other = y.layers[i];
      // Another layer, or one compressed in another way, has every reason to be described in another way.
      if (other === undefined || layer.digestText !== other.digestText) return [];
      const key = `manifest.layers.${i}`;
      return [
        ...valueChange(`${key}.mediatype`, layer.mediaType, other.mediaType),
        ...annotationChanges(`${key}.annotations`, layer.annotations, other.annotations),
      ];
    }),
  ];
}
