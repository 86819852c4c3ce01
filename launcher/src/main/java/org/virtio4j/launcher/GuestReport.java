// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.virtio4j.harness.Comparison;
import org.virtio4j.harness.GuestFacts;
import org.virtio4j.harness.GuestResult;
import org.virtio4j.harness.options.Workload;

/** The result of a guest for people: a block of lines. What the guest has not said is left out. */
final class GuestReport {

    /** What names of facts about interrupts begin with; the function is behind it. */
    private static final String INTERRUPTS = "interrupts/";
    private static final Set<String> WORKLOADS =
            Arrays.stream(Workload.values()).map(Workload::toString).collect(Collectors.toSet());

    private final GuestFacts facts;
    private final StringBuilder text = new StringBuilder();

    private GuestReport(GuestFacts facts) {
        this.facts = facts;
    }

    /** Some lines, each with its end. */
    static String of(GuestResult result) {
        GuestReport report = new GuestReport(result.facts());
        report.guest(result);
        report.groups();
        report.interrupts();
        report.work();
        result.devices().forEach(line -> report.line("devices", line));
        return report.text.toString();
    }

    /** A guest whose serial port is the user's terminal has told us nothing. */
    private void guest(GuestResult result) {
        if (facts.fact("kernel").isEmpty()) {
            line("guest", "QEMU " + result.qemu());
            line("boot", seconds(result.total()) + " to QEMU's end");
            return;
        }
        line("guest", "Linux " + facts.fact("kernel") + ", pages of " + facts.fact("page-kibibytes") + " KiB, QEMU "
                + result.qemu());
        line("boot", String.format(Locale.ROOT, "%s to the first word of the guest, %s to QEMU's end",
                seconds(result.untilInit()), seconds(result.total())));
    }

    /** A line for each part of the work that both sides did. */
    static String of(Comparison comparison) {
        StringBuilder lines = new StringBuilder();
        for (Comparison.Transfer transfer : Comparison.Transfer.values()) {
            lines.append(String.format(Locale.ROOT, "  %-14s%-11s %.2f s, QEMU's own %.2f s: %.2f of its speed%n",
                    "compared", transfer, comparison.ourSeconds(transfer), comparison.qemuSeconds(transfer),
                    comparison.ratio(transfer)));
        }
        return lines.toString();
    }

    /** One line for each IOMMU group: its devices, and how Linux translates for it. */
    private void groups() {
        boolean any = false;
        for (Map.Entry<String, String> fact : facts.all().entrySet()) {
            if (fact.getKey().matches("group/\\d+/type")) {
                any = true;
                String group = fact.getKey().replace("/type", "");
                line("iommu group", facts.fact(group + "/devices") + ": " + fact.getValue()
                        + reserved(facts.fact(group + "/reserved")));
            }
        }
        if (!any && !facts.fact("kernel").isEmpty()) {
            line("iommu group", "none: this kernel has no driver of the IOMMU, devices use physical addresses");
        }
    }

    /** A line for each way in which functions were interrupted: how often. */
    private void interrupts() {
        SortedMap<String, String> counts = new TreeMap<>();
        for (Map.Entry<String, String> fact : facts.all().tailMap(INTERRUPTS).entrySet()) {
            if (fact.getKey().startsWith(INTERRUPTS)) {
                int count = fact.getValue().lastIndexOf(' ');
                String counted = fact.getKey().substring(INTERRUPTS.length()) + fact.getValue().substring(count);
                counts.merge(fact.getValue().substring(0, count), counted, (some, more) -> some + ", " + more);
            }
        }
        counts.forEach((way, counted) -> line("interrupts", way + ": " + counted));
    }

    private static String reserved(String regions) {
        return regions.isEmpty() ? "" : ", reserved " + regions;
    }

    /** Facts below the name of a workload. */
    private void work() {
        for (Map.Entry<String, String> fact : facts.all().entrySet()) {
            String[] path = fact.getKey().split("/", 2);
            if (path.length == 2 && WORKLOADS.contains(path[0])) {
                line(path[0], path[1] + " " + fact.getValue());
            }
        }
    }

    private void line(String what, String value) {
        text.append(String.format(Locale.ROOT, "  %-14s%s\n", what, value));
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1e3);
    }
}
