/**
 * What User Mode Linux 6.12 says from its start to power-off, with most of the 38 reads of the configuration left out.
 */
export const uml = `
> 03000000 01000000 00000000   ; SET_OWNER
> 01000000 01000000 00000000   ; GET_FEATURES
< 01000000 05000000 08000000   ; reply to GET_FEATURES
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
> 0f000000 01000000 00000000   ; GET_PROTOCOL_FEATURES
< 0f000000 05000000 08000000   ; reply to GET_PROTOCOL_FEATURES
  29a2010000000000             ; MQ REPLY_ACK BACKEND_REQ CONFIG RESET_DEVICE CONFIGURE_MEM_SLOTS STATUS
> 10000000 09000000 08000000   ; SET_PROTOCOL_FEATURES, to be answered
  2802000000000000             ; REPLY_ACK BACKEND_REQ CONFIG
< 10000000 05000000 08000000   ; reply to SET_PROTOCOL_FEATURES
  0000000000000000             ; done
>+1 15000000 09000000 00000000 ; SET_BACKEND_REQ_FD with a descriptor, to be answered
< 15000000 05000000 08000000   ; reply to SET_BACKEND_REQ_FD
  0000000000000000             ; done
> 02000000 09000000 08000000   ; SET_FEATURES, to be answered
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
< 02000000 05000000 08000000   ; reply to SET_FEATURES
  0000000000000000             ; done
> 18000000 01000000 0d000000   ; GET_CONFIG
  00000000                     ; offset 0
  01000000                     ; 1 bytes
  00000000                     ; flags
  00                           ; the bytes
< 18000000 05000000 0d000000   ; reply to GET_CONFIG
  00000000                     ; offset 0
  01000000                     ; 1 bytes
  00000000                     ; flags
  73                           ; the bytes
> 18000000 01000000 0e000000   ; GET_CONFIG
  00000000                     ; offset 0
  02000000                     ; 2 bytes
  00000000                     ; flags
  0000                         ; the bytes
< 18000000 05000000 0e000000   ; reply to GET_CONFIG
  00000000                     ; offset 0
  02000000                     ; 2 bytes
  00000000                     ; flags
  7368                         ; the bytes
> 18000000 01000000 30000000   ; GET_CONFIG
  00000000                     ; offset 0
  24000000                     ; 36 bytes
  00000000                     ; flags
  000000000000000000000000000000000000000000000000
  000000000000000000000000 ; the bytes
< 18000000 05000000 30000000   ; reply to GET_CONFIG
  00000000                     ; offset 0
  24000000                     ; 36 bytes
  00000000                     ; flags
  736861726500000000000000000000000000000000000000
  000000000000000000000000 ; the bytes
> 18000000 01000000 34000000   ; GET_CONFIG
  00000000                     ; offset 0
  28000000                     ; 40 bytes
  00000000                     ; flags
  000000000000000000000000000000000000000000000000
  00000000000000000000000000000000 ; the bytes
< 18000000 05000000 34000000   ; reply to GET_CONFIG
  00000000                     ; offset 0
  28000000                     ; 40 bytes
  00000000                     ; flags
  736861726500000000000000000000000000000000000000
  00000000000000000000000001000000 ; the bytes
>+1 05000000 09000000 48000000 ; SET_MEM_TABLE with a descriptor, to be answered
  01000000                     ; 1 region
  00000000                     ; padding
  00c06e1300000000             ; guest address
  00b04a0f00000000             ; size
  00c06e1300000000             ; front-end address
  00c06e1300000000             ; offset in the file
  000000000000000000000000000000000000000000000000
  0000000000000000 ; a second region, of nothing
= add 136ec000+f4ab000 at 136ec000
< 05000000 05000000 08000000   ; reply to SET_MEM_TABLE
  0000000000000000             ; done
>+1 0d000000 09000000 08000000 ; SET_VRING_CALL with a descriptor, to be answered
  0000000000000000             ; ring 0
= call 0 set
< 0d000000 05000000 08000000   ; reply to SET_VRING_CALL
  0000000000000000             ; done
> 08000000 09000000 08000000   ; SET_VRING_NUM, to be answered
  00000000                     ; ring 0
  00010000                     ; 256 entries
< 08000000 05000000 08000000   ; reply to SET_VRING_NUM
  0000000000000000             ; done
> 0a000000 09000000 08000000   ; SET_VRING_BASE, to be answered
  00000000                     ; ring 0
  00000000                     ; base 0
< 0a000000 05000000 08000000   ; reply to SET_VRING_BASE
  0000000000000000             ; done
> 09000000 09000000 28000000   ; SET_VRING_ADDR, to be answered
  00000000                     ; ring 0
  00000000                     ; flags
  00c0541400000000             ; descriptor table
  00e0541400000000             ; used ring
  00d0541400000000             ; available ring
  ffffffffffffffff             ; log: not used
< 09000000 05000000 08000000   ; reply to SET_VRING_ADDR
  0000000000000000             ; done
>+1 0d000000 09000000 08000000 ; SET_VRING_CALL with a descriptor, to be answered
  0100000000000000             ; ring 1
= call 1 set
< 0d000000 05000000 08000000   ; reply to SET_VRING_CALL
  0000000000000000             ; done
> 08000000 09000000 08000000   ; SET_VRING_NUM, to be answered
  01000000                     ; ring 1
  00010000                     ; 256 entries
< 08000000 05000000 08000000   ; reply to SET_VRING_NUM
  0000000000000000             ; done
> 0a000000 09000000 08000000   ; SET_VRING_BASE, to be answered
  01000000                     ; ring 1
  00000000                     ; base 0
< 0a000000 05000000 08000000   ; reply to SET_VRING_BASE
  0000000000000000             ; done
> 09000000 09000000 28000000   ; SET_VRING_ADDR, to be answered
  01000000                     ; ring 1
  00000000                     ; flags
  0040cc1400000000             ; descriptor table
  0060cc1400000000             ; used ring
  0050cc1400000000             ; available ring
  ffffffffffffffff             ; log: not used
< 09000000 05000000 08000000   ; reply to SET_VRING_ADDR
  0000000000000000             ; done
>+1 0c000000 09000000 08000000 ; SET_VRING_KICK with a descriptor, to be answered
  0000000000000000             ; ring 0
< 0c000000 05000000 08000000   ; reply to SET_VRING_KICK
  0000000000000000             ; done
> 12000000 09000000 08000000   ; SET_VRING_ENABLE, to be answered
  00000000                     ; ring 0
  01000000                     ; enable 1
= start 0 size 256 base 0 event
< 12000000 05000000 08000000   ; reply to SET_VRING_ENABLE
  0000000000000000             ; done
>+1 0c000000 09000000 08000000 ; SET_VRING_KICK with a descriptor, to be answered
  0100000000000000             ; ring 1
< 0c000000 05000000 08000000   ; reply to SET_VRING_KICK
  0000000000000000             ; done
> 12000000 09000000 08000000   ; SET_VRING_ENABLE, to be answered
  01000000                     ; ring 1
  01000000                     ; enable 1
= start 1 size 256 base 0 event
< 12000000 05000000 08000000   ; reply to SET_VRING_ENABLE
  0000000000000000             ; done
> 12000000 09000000 08000000   ; SET_VRING_ENABLE, to be answered
  01000000                     ; ring 1
  00000000                     ; enable 0
= stop 1
< 12000000 05000000 08000000   ; reply to SET_VRING_ENABLE
  0000000000000000             ; done
> 12000000 09000000 08000000   ; SET_VRING_ENABLE, to be answered
  00000000                     ; ring 0
  00000000                     ; enable 0
= stop 0
< 12000000 05000000 08000000   ; reply to SET_VRING_ENABLE
  0000000000000000             ; done
> 01000000 01000000 00000000   ; GET_FEATURES
< 01000000 05000000 08000000   ; reply to GET_FEATURES
  0000007001000000             ; INDIRECT_DESC EVENT_IDX PROTOCOL_FEATURES VERSION_1
`;
