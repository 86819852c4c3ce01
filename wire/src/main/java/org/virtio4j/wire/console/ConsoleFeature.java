// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.console;

/** Numbers of the console device's own feature bits (virtio 1.4, section 5.3.3). */
public final class ConsoleFeature {
    /** {@link ConsoleConfig#COLS} and {@link ConsoleConfig#ROWS} are valid. */
    public static final int SIZE = 0;
    /** There are several ports and a pair of control queues; {@link ConsoleConfig#MAX_NR_PORTS} is valid. */
    public static final int MULTIPORT = 1;
    /** A driver may write a character to {@link ConsoleConfig#EMERG_WR}, also before it has negotiated anything. */
    public static final int EMERG_WRITE = 2;

    private ConsoleFeature() {
    }
}
