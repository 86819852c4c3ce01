// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * A program for the firmware of a PC that fits into the first sector of a disk. Of each of the first two disks it reads
 * 64 sectors, the first of which is sector 1, writes them to another place of that disk and to the other disk, and says
 * so over the serial port. Then it resets the machine.
 */
final class BootSector {

    /** Of a sector. */
    static final int BYTES = 512;
    /** How many the program reads. */
    static final int SECTORS = 64;
    /** Where it writes those of the same disk. */
    static final int OWN_COPY = 0x41;
    /** Where it writes those of the other disk. */
    static final int OTHERS_COPY = 0x81;
    /** What it says of each disk. */
    static final String DONE = "a disk was read and written";

    private static final String CODE = """
            fa          cli
            31c0        xor ax, ax
            8ed8        mov ds, ax
            8ec0        mov es, ax
            8ed0        mov ss, ax
            bc007c      mov sp, 0x7c00
            fb          sti
            fc          cld
            b280        mov dl, 0x80            ; the first disk
            bf9b7c      disk: mov di, sector
            c60501      mov byte [di], 1
            b442        mov ah, 0x42            ; read
            e82600      call ask
            c60541      mov byte [di], OWN_COPY
            b80043      mov ax, 0x4300          ; write
            e81d00      call ask
            80f201      xor dl, 1               ; the other disk
            c60581      mov byte [di], OTHERS_COPY
            b80043      mov ax, 0x4300
            e81100      call ask
            80f201      xor dl, 1
            be647c      mov si, done
            e81d00      call say
            42          inc dx
            80fa82      cmp dl, 0x82
            75d1        jne disk
            eb0e        jmp end
            be937c      ask: mov si, packet
            cd13        int 0x13
            7201        jc failed
            c3          ret
            be827c      failed: mov si, refused
            e80700      call say
            baf90c      end: mov dx, 0xcf9
            b006        mov al, 6
            ee          out dx, al              ; resets the machine
            f4          hlt
            52          say: push dx
            baf803      mov dx, 0x3f8           ; the serial port
            ac          next: lodsb
            84c0        test al, al
            7403        jz said
            ee          out dx, al
            ebf8        jmp next
            5a          said: pop dx
            c3          ret
            """;
    private static final String TEXTS = DONE + "\r\n\0" + "a disk refused\r\n\0";

    private BootSector() {
    }

    static byte[] bytes() {
        ByteBuffer sector = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (String line : CODE.lines().toList()) {
            sector.put(HexFormat.of().parseHex(line.split(" ", 2)[0]));
        }
        sector.put(TEXTS.getBytes(StandardCharsets.US_ASCII));
        // The packet: its size, how many sectors, where in memory, and the first sector.
        sector.put((byte) 16).put((byte) 0).putShort((short) SECTORS).putInt(0x1000_0000).putLong(0);
        return sector.putShort(BYTES - 2, (short) 0xaa55).array();
    }
}
