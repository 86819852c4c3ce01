// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.host;

import java.util.Locale;

/** Numbers as the table shows them. */
public final class Quantity {

    private static final long KIB = 1 << 10;
    private static final long MIB = 1 << 20;
    private static final long GIB = 1 << 30;

    private Quantity() {
    }

    public static String bytes(long bytes) {
        if (bytes < KIB) {
            return bytes + " B";
        }
        return bytes < MIB ? scaled(bytes, KIB) + " KiB"
                : bytes < GIB ? scaled(bytes, MIB) + " MiB" : scaled(bytes, GIB) + " GiB";
    }

    /** A count of mappings, in units of 1,024. */
    public static String count(long count) {
        return count < KIB ? Long.toString(count)
                : count < MIB ? scaled(count, KIB) + " k" : scaled(count, MIB) + " M";
    }

    /** Three digits that count, or all before the point. */
    public static String nanos(double nanos) {
        return nanos < 9.995 ? String.format(Locale.ROOT, "%.2f", nanos)
                : nanos < 99.95 ? String.format(Locale.ROOT, "%.1f", nanos)
                : String.format(Locale.ROOT, "%,.0f", nanos);
    }

    /** How much one thing is of another: a factor, or per cent where it is less. */
    public static String ratio(double ratio) {
        return ratio < 0.995 ? String.format(Locale.ROOT, "%.1f %%", 100 * ratio)
                : String.format(Locale.ROOT, "%.2f x", ratio);
    }

    private static String scaled(long number, long unit) {
        return number % unit == 0 ? Long.toString(number / unit)
                : String.format(Locale.ROOT, "%.1f", (double) number / unit);
    }
}
