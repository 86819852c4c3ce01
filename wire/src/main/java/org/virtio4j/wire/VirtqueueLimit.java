// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/** Bounds that the specification puts on every virtqueue (virtio 1.4, sections 2.7 and 2.8). */
public final class VirtqueueLimit {
    /** The most entries a queue can have: a 16-bit index must be able to tell a full ring from an empty one. */
    public static final int MAX_SIZE = 32768;

    private VirtqueueLimit() {
    }
}
