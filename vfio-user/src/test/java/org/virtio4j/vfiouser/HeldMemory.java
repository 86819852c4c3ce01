// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What this process keeps of the heap after a collection, and of what Java code has allocated outside it. The JVM
 * counts the latter itself (category "Other" of its native memory tracking, which this module's tests run with).
 */
record HeldMemory(long heap, long outside) {

    /** The JVM's own bookkeeping comes and goes; a leak of a small object in each message would be many times this. */
    private static final long SLACK = 2 << 20;

    private static final Pattern OTHER = Pattern.compile("Other \\(reserved=(\\d+)");

    static HeldMemory now() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return new HeldMemory(runtime.totalMemory() - runtime.freeMemory(), outsideTheHeap());
    }

    /** Waits until no more is held than now, for cleaners work at their leisure. */
    void awaitNoMore() {
        HeldMemory now = now();
        while (now.heap > heap + SLACK || now.outside > outside + SLACK) {
            OpenThings.failWhenTimedOut(this, now);
            now = now();
        }
    }

    private static long outsideTheHeap() {
        try {
            String report = (String) ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmNativeMemory",
                    new Object[] {new String[] {"summary", "scale=1"}}, new String[] {String[].class.getName()});
            Matcher other = OTHER.matcher(report);
            if (!other.find()) {
                throw new AssertionError("no native memory tracking: " + report);
            }
            return Long.parseLong(other.group(1));
        } catch (JMException failed) {
            throw new AssertionError(failed);
        }
    }
}
