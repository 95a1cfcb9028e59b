import { health, ITEM, imageFields, PLATFORM, runConfig, SCHEMA2_FIELDS, v1Image } from './go-structs.js';
import { DURATION, EMPTY_STRUCT, list, map, pointer, STRING, STRING_MAP, struct, words } from './go-types.js';

/** moby image/image.go, image/rootfs.go, api/types/container/config.go */
const MOBY_PORTS = map(EMPTY_STRUCT, { kind: 'string', name: 'nat.Port' }, 'nat.PortSet');
export const MOBY_V1_IMAGE = v1Image(
  'image.V1Image',
  runConfig(
    'container.Config',
    words('strslice.StrSlice'),
    MOBY_PORTS,
    health('container.HealthConfig', { StartInterval: DURATION }),
  ),
);
export const MOBY_IMAGE = struct('image.Image', imageFields('', 'image'), { V1Image: MOBY_V1_IMAGE });

/** moby image/tarexport/load.go (legacyLoadImage) */
export const MOBY_LEGACY = struct('', { OS: STRING, Parent: STRING });
export const MOBY_REPOSITORIES = map(map(STRING));

/** moby image/tarexport/tarexport.go */
export const MOBY_ITEMS = list(
  struct('tarexport.manifestItem', {
    ...ITEM,
    Parent: { kind: 'string', name: 'image.ID' },
    LayerSources: map(
      struct('distribution.Descriptor', {
        ...SCHEMA2_FIELDS,
        annotations: STRING_MAP,
        platform: pointer(PLATFORM),
      }),
      { kind: 'string', name: 'layer.DiffID' },
    ),
  }),
);

/** containerd core/images/archive/importer.go */
export const CONTAINERD_ITEMS = list(
  struct('struct { Config string; RepoTags []string; Layers []string }', ITEM),
);
