// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.console;

/**
 * Configuration space of the console device (virtio 1.4, section 5.3.4). Only {@link #EMERG_WR} is writable. Each field
 * means something only with its feature bit.
 *
 * <pre>
 *      byte 0            2           4                       8           12
 *    0 +------------+------------+-----------------------+-----------------------+
 *      | cols       | rows       | max_nr_ports          | emerg_wr              |
 *   12 +------------+------------+-----------------------+-----------------------+
 * </pre>
 */
public final class ConsoleConfig {
    /** Offset of the 2-byte number of characters in a row; needs {@link ConsoleFeature#SIZE}. */
    public static final long COLS = 0;
    /** Offset of the 2-byte number of rows; needs {@link ConsoleFeature#SIZE}. */
    public static final long ROWS = 2;
    /** Offset of the 4-byte largest number of ports; needs {@link ConsoleFeature#MULTIPORT}. */
    public static final long MAX_NR_PORTS = 4;
    /** Offset of the 4 bytes whose lowest is a character to put out; needs {@link ConsoleFeature#EMERG_WRITE}. */
    public static final long EMERG_WR = 8;
    /** Bytes of the whole structure. */
    public static final long SIZE = 12;

    private ConsoleConfig() {
    }
}
