// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Blobs written down by hand, right and wrong ones, with the numbers of the specification and none of ours. */
final class BlobBytes {

    private final ByteArrayOutputStream structure = new ByteArrayOutputStream();
    private String strings = "";
    private int version = 17;
    private int compatible = 16;

    BlobBytes words(int... words) {
        for (int word : words) {
            structure.writeBytes(ByteBuffer.allocate(4).putInt(word).array());
        }
        return this;
    }

    /** Characters, and zero bytes up to the next word. */
    BlobBytes text(String text) {
        structure.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
        while (structure.size() % 4 != 0) {
            structure.write(0);
        }
        return this;
    }

    BlobBytes strings(String block) {
        strings = block;
        return this;
    }

    BlobBytes version(int newVersion, int newCompatible) {
        version = newVersion;
        compatible = newCompatible;
        return this;
    }

    /** The structure follows header and an empty list of reservations, so its first byte is 0x38. */
    byte[] blob() {
        int size = structure.size();
        ByteBuffer blob = ByteBuffer.allocate(56 + size + strings.length());
        blob.putInt(0xd00dfeed).putInt(blob.capacity()).putInt(56).putInt(56 + size).putInt(40)
                .putInt(version).putInt(compatible).putInt(0).putInt(strings.length()).putInt(version < 17 ? -1 : size);
        blob.position(56);
        return blob.put(structure.toByteArray()).put(strings.getBytes(StandardCharsets.ISO_8859_1)).array();
    }
}
