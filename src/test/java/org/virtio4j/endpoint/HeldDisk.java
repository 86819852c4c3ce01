// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A process that has a disk until its input ends. */
final class HeldDisk {

    static final String READY = "held";

    private HeldDisk() {
    }

    /** Argument: the file. */
    public static void main(String[] arguments) throws IOException {
        try (VirtioBlock disk = VirtioBlock.builder(Path.of(arguments[0])).build()) {
            System.out.println(READY + " " + disk.size());
            while (System.in.read() >= 0) {
                // Nobody writes to it.
            }
        }
    }
}
