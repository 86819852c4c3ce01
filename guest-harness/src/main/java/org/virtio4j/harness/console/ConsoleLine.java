// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A parsed line of the guest's console. The script {@code init} lists, at its beginning, what it may say. */
public sealed interface ConsoleLine {

    /** Something the guest found; the name is a path. */
    record Fact(String name, String value) implements ConsoleLine {
    }

    /** What the guest begins to do. */
    record Step(String text) implements ConsoleLine {
    }

    /** The guest waits for the host to do its part. */
    record Ready(String name) implements ConsoleLine {
    }

    /** The guest's work has failed. */
    record Failed(String text) implements ConsoleLine {
    }

    /** The guest's work is done. */
    record Done() implements ConsoleLine {
    }

    /**
     * Linux has read a fault event from the IOMMU's event queue.
     *
     * @param reason {@code page}, {@code domain} or {@code unknown}
     * @param endpoint that made the access
     * @param address of the access
     * @param access the letters R, W and X of what was tried
     */
    record DmaFault(String reason, int endpoint, long address, String access) implements ConsoleLine {
    }

    /** Linux has found itself broken, and goes on for as long as it can. */
    record Crash(String text) implements ConsoleLine {
    }

    /** Anything else. */
    record Other(String text) implements ConsoleLine {
    }

    /** Parses a line without its end. All but {@link Other} come through the kernel's log. */
    static ConsoleLine of(String line) {
        Matcher log = Patterns.LOG.matcher(line);
        if (!log.matches()) {
            return new Other(line);
        }
        Matcher said = Patterns.SAID.matcher(log.group(1));
        if (said.matches()) {
            return said(said.group(1), said.group(2), line);
        }
        Matcher fault = Patterns.FAULT.matcher(log.group(1));
        if (fault.matches()) {
            return new DmaFault(fault.group(1), Integer.parseInt(fault.group(2)),
                    Long.parseUnsignedLong(digits(fault.group(3)), Patterns.HEXADECIMAL), fault.group(4));
        }
        return Patterns.CRASH.matcher(log.group(1)).matches() ? new Crash(log.group(1)) : new Other(line);
    }

    private static ConsoleLine said(String kind, String text, String line) {
        return switch (kind) {
            case "fact" -> {
                String[] parts = text.split("=", 2);
                yield parts.length == 2 ? new Fact(parts[0], parts[1]) : new Other(line);
            }
            case "step" -> new Step(text);
            case "ready" -> new Ready(text);
            case "failed" -> new Failed(text);
            case "done" -> new Done();
            default -> new Other(line);
        };
    }

    /** Linux prints 0 without 0x. */
    private static String digits(String address) {
        return address.startsWith("0x") ? address.substring(2) : address;
    }

    /** What lines look like. */
    final class Patterns {
        private static final int HEXADECIMAL = 16;
        /** A line of the kernel's log: the time, perhaps who says it, and what. */
        private static final Pattern LOG = Pattern.compile("\\[ *\\d+\\.\\d+\\](?:\\[ *[CT]\\d+\\])? (.*)");
        private static final Pattern SAID = Pattern.compile("virtio4j: (\\w+) ?(.*)");
        private static final Pattern CRASH = Pattern.compile("kernel BUG at .*|Oops: .*|---\\[ end trace .*");
        private static final Pattern FAULT = Pattern.compile("virtio_iommu \\w+: (page|domain|unknown) fault from EP "
                + "(\\d{1,9}) at (0x[0-9a-f]{1,16}|0) \\[([RWX]*)\\]");

        private Patterns() {
        }
    }
}
