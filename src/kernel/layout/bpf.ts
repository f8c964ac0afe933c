import { bytes, layout, pointer, u32, u64 } from './layout.ts'

/** Members of union bpf_attr (linux/bpf.h), by the commands that they are for. */

/** BPF_MAP_CREATE. */
export const bpfMapCreate = layout({
  map_type: u32,
  key_size: u32,
  value_size: u32,
  max_entries: u32,
  map_flags: u32,
  inner_map_fd: u32,
  numa_node: u32,
  map_name: bytes(16),
  map_ifindex: u32,
  btf_fd: u32,
  btf_key_type_id: u32,
  btf_value_type_id: u32,
  btf_vmlinux_value_type_id: u32,
  map_extra: u64,
})

/** BPF_MAP_LOOKUP_BATCH, BPF_MAP_UPDATE_BATCH. */
export const bpfBatch = layout({
  /** Where the last one came to; 0 at the first. */
  in_batch: pointer,
  out_batch: pointer,
  keys: pointer,
  values: pointer,
  /** Elements: of which there is room, then what there are. */
  count: u32,
  map_fd: u32,
  elem_flags: u64,
  flags: u64,
})

/** BPF_MAP_LOOKUP_ELEM. */
export const bpfElement = layout({ map_fd: u32, key: pointer, value: pointer, flags: u64 })

/** BPF_OBJ_GET_INFO_BY_FD. */
export const bpfInfo = layout({ bpf_fd: u32, info_len: u32, info: pointer })

/** BPF_MAP_GET_FD_BY_ID, BPF_PROG_GET_FD_BY_ID, BPF_PROG_GET_NEXT_ID. */
export const bpfById = layout({ id: u32, next_id: u32, open_flags: u32 })

/** struct bpf_map_info, as long as Linux 5.16 made it. */
export const bpfMapInfo = layout({
  type: u32,
  id: u32,
  key_size: u32,
  value_size: u32,
  max_entries: u32,
  map_flags: u32,
  name: bytes(16),
  ifindex: u32,
  btf_vmlinux_value_type_id: u32,
  netns_dev: u64,
  netns_ino: u64,
  btf_id: u32,
  btf_key_type_id: u32,
  btf_value_type_id: u32,
  _pad: u32,
  map_extra: u64,
})

/** The beginning of struct bpf_prog_info, up to the maps that a program uses. */
export const bpfProgInfo = layout({
  type: u32,
  id: u32,
  tag: bytes(8),
  jited_prog_len: u32,
  xlated_prog_len: u32,
  jited_prog_insns: u64,
  xlated_prog_insns: u64,
  load_time: u64,
  created_by_uid: u32,
  nr_map_ids: u32,
  map_ids: pointer,
})
