// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

/** What a device did wrong in a used ring, so that nothing more can be believed of it. */
public enum UsedRingFailure {
    /** Nothing. */
    NONE,
    /** The used index says that more buffers came back than are out (virtio 1.4, section 2.7.8). */
    INDEX_AHEAD,
    /** An element's {@code id} is no descriptor of the queue. */
    ID_OUT_OF_RANGE,
    /** An element's {@code id} is no buffer that is out: never given, or given back already. */
    ID_NOT_AVAILABLE,
    /** An element's {@code len} is more than the buffer has room for (section 2.7.8.2). */
    LENGTH_TOO_LONG
}
