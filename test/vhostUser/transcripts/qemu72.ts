/** What QEMU 7.2 says while Linux boots with virtio-fs as its root and panics for want of an init. */
export const qemu72 = `
> 01000000 01000000 00000000   ; GET_FEATURES
< 01000000 05000000 08000000   ; reply to GET_FEATURES
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
> 0f000000 01000000 00000000   ; GET_PROTOCOL_FEATURES
< 0f000000 05000000 08000000   ; reply to GET_PROTOCOL_FEATURES
  29a2010000000000             ; MQ REPLY_ACK BACKEND_REQ CONFIG RESET_DEVICE CONFIGURE_MEM_SLOTS STATUS
> 10000000 01000000 08000000   ; SET_PROTOCOL_FEATURES
  29a0010000000000             ; MQ REPLY_ACK BACKEND_REQ RESET_DEVICE CONFIGURE_MEM_SLOTS STATUS
> 11000000 01000000 00000000   ; GET_QUEUE_NUM
< 11000000 05000000 08000000   ; reply to GET_QUEUE_NUM
  0200000000000000             ; 2 queues
> 24000000 01000000 00000000   ; GET_MAX_MEM_SLOTS
< 24000000 05000000 08000000   ; reply to GET_MAX_MEM_SLOTS
  fd01000000000000             ; 509 slots
>+1 15000000 09000000 00000000 ; SET_BACKEND_REQ_FD with a descriptor, to be answered
< 15000000 05000000 08000000   ; reply to SET_BACKEND_REQ_FD
  0000000000000000             ; done
> 03000000 01000000 00000000   ; SET_OWNER
> 01000000 01000000 00000000   ; GET_FEATURES
< 01000000 05000000 08000000   ; reply to GET_FEATURES
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0000000000000000             ; ring 0
= call 0 set
>+1 0e000000 01000000 08000000 ; SET_VRING_ERR with a descriptor
  0000000000000000             ; ring 0
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0100000000000000             ; ring 1
= call 1 set
>+1 0e000000 01000000 08000000 ; SET_VRING_ERR with a descriptor
  0100000000000000             ; ring 1
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0000000000000000             ; ring 0
= call 0 set
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0100000000000000             ; ring 1
= call 1 set
> 02000000 01000000 08000000   ; SET_FEATURES
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
> 28000000 01000000 00000000   ; GET_STATUS
< 28000000 05000000 08000000   ; reply to GET_STATUS
  0000000000000000             ; status 0
> 27000000 01000000 08000000   ; SET_STATUS
  0800000000000000             ; status 8
>+1 25000000 09000000 28000000 ; ADD_MEM_REG with a descriptor, to be answered
  0000000000000000             ; padding
  0000000000000000             ; guest address
  0000001000000000             ; size
  00f0ffff3c7f0000             ; front-end address
  0000000000000000             ; offset in the file
= add 0+10000000 at 0
< 25000000 05000000 08000000   ; reply to ADD_MEM_REG
  0000000000000000             ; done
> 08000000 01000000 08000000   ; SET_VRING_NUM
  00000000                     ; ring 0
  00040000                     ; 1024 entries
> 0a000000 01000000 08000000   ; SET_VRING_BASE
  00000000                     ; ring 0
  00000000                     ; base 0
> 09000000 01000000 28000000   ; SET_VRING_ADDR
  00000000                     ; ring 0
  00000000                     ; flags
  00f03f023d7f0000             ; descriptor table
  403840023d7f0000             ; used ring
  003040023d7f0000             ; available ring
  4048400200000000             ; log: not used
>+1 0c000000 01000000 08000000 ; SET_VRING_KICK with a descriptor
  0000000000000000             ; ring 0
> 08000000 01000000 08000000   ; SET_VRING_NUM
  01000000                     ; ring 1
  00040000                     ; 1024 entries
> 0a000000 01000000 08000000   ; SET_VRING_BASE
  01000000                     ; ring 1
  00000000                     ; base 0
> 09000000 01000000 28000000   ; SET_VRING_ADDR
  01000000                     ; ring 1
  00000000                     ; flags
  00f040023d7f0000             ; descriptor table
  403841023d7f0000             ; used ring
  003041023d7f0000             ; available ring
  4048410200000000             ; log: not used
>+1 0c000000 01000000 08000000 ; SET_VRING_KICK with a descriptor
  0100000000000000             ; ring 1
> 12000000 01000000 08000000   ; SET_VRING_ENABLE
  00000000                     ; ring 0
  01000000                     ; enable 1
= start 0 size 1024 base 0 event
> 12000000 01000000 08000000   ; SET_VRING_ENABLE
  01000000                     ; ring 1
  01000000                     ; enable 1
= start 1 size 1024 base 0 event
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0000000000000000             ; ring 0
= call 0 set
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0100000000000000             ; ring 1
= call 1 set
> 12000000 01000000 08000000   ; SET_VRING_ENABLE
  00000000                     ; ring 0
  00000000                     ; enable 0
= stop 0
! 1 6
> 12000000 01000000 08000000   ; SET_VRING_ENABLE
  01000000                     ; ring 1
  00000000                     ; enable 0
= stop 1
> 0b000000 01000000 08000000   ; GET_VRING_BASE
  00000000                     ; ring 0
  00000000                     ; base 0
< 0b000000 05000000 08000000   ; reply to GET_VRING_BASE
  00000000                     ; ring 0
  00000000                     ; base 0
> 0b000000 01000000 08000000   ; GET_VRING_BASE
  01000000                     ; ring 1
  00000000                     ; base 0
< 0b000000 05000000 08000000   ; reply to GET_VRING_BASE
  01000000                     ; ring 1
  06000000                     ; base 6
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0000000000000000             ; ring 0
= call 0 set
>+1 0d000000 01000000 08000000 ; SET_VRING_CALL with a descriptor
  0100000000000000             ; ring 1
= call 1 set
`;
