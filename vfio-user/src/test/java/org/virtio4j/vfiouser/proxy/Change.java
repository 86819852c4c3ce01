// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.virtio4j.wire.vfiouser.PciRegion;

/**
 * What is changed on the way: in accesses of one register, which it names or gives the place of, its value; in those of
 * a range, every byte in it.
 *
 * @param write whether it is about what the client writes, or what it reads
 * @param name  the register's name; empty for a place or a range
 * @param region the number of a BAR, or that of configuration space
 * @param first offset of the register, or of the first byte of the range
 * @param last  offset of the last byte of the range; that of the register otherwise
 * @param only  the value that is changed; empty for all
 * @param value what it becomes
 * @param text  as it was written
 */
public record Change(boolean write, String name, int region, long first, long last, OptionalLong only, long value,
        String text) {

    private static final Pattern RANGE = Pattern.compile("(config|bar[0-5]):(\\w+)(?:-(\\w+))?");

    /**
     * Reads one as it is written on a command line.
     *
     * @param text the whole of it
     * @return the change
     * @throws IllegalArgumentException if it cannot be read; the message says what is expected
     */
    public static Change parse(String text) {
        List<String> words = List.of(text.trim().split("\\s+"));
        int becomes = words.indexOf("becomes");
        boolean known = words.getFirst().equals("read") || words.getFirst().equals("write");
        if (!known || becomes < 2 || becomes > 3 || words.size() != becomes + 2) {
            throw expected(text);
        }
        boolean write = words.getFirst().equals("write");
        OptionalLong only = becomes == 3 ? OptionalLong.of(number(words.get(2), text)) : OptionalLong.empty();
        long value = number(words.getLast(), text);
        Matcher range = RANGE.matcher(words.get(1));
        if (!range.matches()) {
            return new Change(write, words.get(1).toLowerCase(Locale.ROOT), 0, 0, 0, only, value, text);
        }
        String bar = range.group(1);
        int region = bar.equals("config") ? PciRegion.CONFIG : bar.charAt(bar.length() - 1) - '0';
        long first = number(range.group(2), text);
        long last = range.group(3) == null ? first : number(range.group(3), text);
        if (last < first || (last > first && only.isPresent())) {
            throw expected(text);
        }
        return new Change(write, "", region, first, last, only, value, text);
    }

    /** Changes an access if it is about it; says whether it did. */
    boolean apply(Access access, String itsName) {
        if (access.write() != write) {
            return false;
        }
        return last > first ? applyToRange(access) : applyToRegister(access, itsName);
    }

    private boolean applyToRegister(Access access, String itsName) {
        boolean here = name.isEmpty() ? access.region() == region && access.offset() == first : itsName.equals(name);
        if (!here || !access.hasValue() || only.orElse(access.value()) != access.value()) {
            return false;
        }
        access.value(value);
        return true;
    }

    private boolean applyToRange(Access access) {
        boolean changed = false;
        for (int i = 0; access.region() == region && i < access.width(); i++) {
            if (access.offset() + i >= first && access.offset() + i <= last) {
                changed |= access.data().get(i) != (byte) value;
                access.data().put(i, (byte) value);
            }
        }
        return changed;
    }

    private static long number(String word, String text) {
        try {
            return word.startsWith("0x") ? Long.parseUnsignedLong(word.substring(2), 16) : Long.parseLong(word);
        } catch (NumberFormatException none) {
            throw expected(text);
        }
    }

    private static IllegalArgumentException expected(String text) {
        return new IllegalArgumentException("expected 'read|write REGISTER [VALUE] becomes VALUE' or"
                + " 'read|write REGION:FIRST-LAST becomes BYTE', found '" + text + "'");
    }
}
