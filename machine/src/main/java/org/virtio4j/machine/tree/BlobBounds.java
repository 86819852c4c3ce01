// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.nio.ByteBuffer;
import org.virtio4j.wire.tree.BlobHeader;

/**
 * Where the blocks of a blob are, checked: each lies behind the header and before the blob's end.
 *
 * @param total bytes of the blob, at most those of the array
 * @param reservations offset of the memory reservations, whose end is not known before they are read
 * @param structure offset of the structure block
 * @param structureEnd offset behind it
 * @param strings offset of the strings block
 * @param stringsEnd offset behind it
 * @param bootCpu the physical ID of the CPU that boots
 */
record BlobBounds(int total, int reservations, int structure, int structureEnd, int strings, int stringsEnd,
        int bootCpu) {

    static BlobBounds of(ByteBuffer blob) throws TreeFormatException {
        if (blob.capacity() < BlobHeader.SIZE_16) {
            throw new TreeFormatException(0, "a header of " + BlobHeader.SIZE + " bytes", blob.capacity() + " bytes");
        }
        if (number(blob, BlobHeader.MAGIC) != BlobHeader.MAGIC_NUMBER) {
            throw new TreeFormatException(BlobHeader.MAGIC, "0x" + Integer.toHexString(BlobHeader.MAGIC_NUMBER),
                    "0x" + Integer.toHexString(number(blob, BlobHeader.MAGIC)));
        }
        boolean sized = version(blob) >= BlobHeader.VERSION_17;
        long header = sized ? BlobHeader.SIZE : BlobHeader.SIZE_16;
        int total = within(blob, BlobHeader.TOTAL_SIZE, header, blob.capacity());
        int reservations = aligned(blob, BlobHeader.RESERVATIONS_OFFSET, header, total,
                BlobHeader.RESERVATIONS_ALIGNMENT);
        int structure = aligned(blob, BlobHeader.STRUCTURE_OFFSET, header, total, BlobHeader.STRUCTURE_ALIGNMENT);
        int strings = within(blob, BlobHeader.STRINGS_OFFSET, header, total);
        int structureSize = sized ? within(blob, BlobHeader.STRUCTURE_SIZE, 0, total - structure) : total - structure;
        int stringsSize = within(blob, BlobHeader.STRINGS_SIZE, 0, total - strings);
        return new BlobBounds(total, reservations, structure, structure + structureSize, strings,
                strings + stringsSize, number(blob, BlobHeader.BOOT_CPU));
    }

    /** A newer version is read as the one that it says it is compatible with. */
    private static int version(ByteBuffer blob) throws TreeFormatException {
        int version = number(blob, BlobHeader.VERSION);
        if (version < BlobHeader.VERSION_16) {
            throw new TreeFormatException(BlobHeader.VERSION, "version 16 or newer", Integer.toString(version));
        }
        int compatible = number(blob, BlobHeader.LAST_COMPATIBLE_VERSION);
        if (compatible < 0 || compatible > BlobHeader.VERSION_17 || compatible > version) {
            throw new TreeFormatException(BlobHeader.LAST_COMPATIBLE_VERSION,
                    "a blob that is compatible with version 17",
                    "one that needs version " + Integer.toUnsignedLong(compatible));
        }
        return version;
    }

    private static int aligned(ByteBuffer blob, long field, long least, long most, long alignment)
            throws TreeFormatException {
        int value = within(blob, field, least, most);
        if (value % alignment != 0) {
            throw new TreeFormatException(field, "a multiple of " + alignment, Integer.toString(value));
        }
        return value;
    }

    private static int within(ByteBuffer blob, long field, long least, long most) throws TreeFormatException {
        long value = Integer.toUnsignedLong(number(blob, field));
        if (value < least || value > most) {
            throw new TreeFormatException(field, least + " to " + most, Long.toString(value));
        }
        return Math.toIntExact(value);
    }

    private static int number(ByteBuffer blob, long field) {
        return blob.getInt(Math.toIntExact(field));
    }
}
