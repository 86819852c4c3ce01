// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.host;

import com.fasterxml.jackson.core.JsonGenerator;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.virtio4j.command.JsonOutput;

/**
 * Where and with what the figures came about.
 *
 * @param jdk    the virtual machine that measures, and its build
 * @param cpu    model of the processor
 * @param cores  processors there are
 * @param caches their caches
 * @param memory bytes of RAM
 * @param system operating system, and how it deals with huge pages
 * @param load   how busy the machine was in the minute before, 1 for one processor; negative if unknown
 * @param flags  options of the virtual machine, which the measuring ones inherit
 * @param commit of this project
 * @param date   UTC
 */
public record Host(String jdk, String cpu, int cores, Caches caches, long memory, String system, double load,
        List<String> flags, String commit, String date) {

    private static final String UNKNOWN = "unknown";
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    /** This machine, this JVM, now. */
    public static Host present() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Host(System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
                cpuModel(Path.of("/proc/cpuinfo")), system.getAvailableProcessors(), Caches.ofThisMachine(),
                system.getTotalMemorySize(),
                system.getName() + " " + system.getVersion() + ", huge pages " + chosen(HUGE_PAGES),
                system.getSystemLoadAverage(), presentFlags(),
                commit(Path.of(System.getProperty("virtio4j.home", "."))),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /**
     * What stands above a table.
     *
     * @param mode   how long everything is measured
     * @param before the control loops at the start
     */
    public String head(String mode, ControlLoops before) {
        List<Map.Entry<String, String>> lines = new ArrayList<>(lines());
        lines.add(Map.entry("mode", mode));
        lines.add(Map.entry("control", before.text()));
        return lines.stream().map(line -> String.format(Locale.ROOT, "%-10s %s%n", line.getKey(), line.getValue()))
                .collect(Collectors.joining());
    }

    /** Adds the members of an object. */
    public void writeTo(JsonGenerator json) throws IOException {
        json.writeStringField("jdk", jdk);
        json.writeStringField("cpu", cpu);
        json.writeNumberField("cores", cores);
        json.writeNumberField("level2Bytes", caches.level2());
        json.writeNumberField("lastLevelBytes", caches.lastLevel());
        json.writeNumberField("memoryBytes", memory);
        json.writeStringField("system", system);
        JsonOutput.decimals(json, "load", load);
        json.writeArrayFieldStart("jvmFlags");
        for (String flag : flags) {
            json.writeString(flag);
        }
        json.writeEndArray();
        json.writeStringField("commit", commit);
        json.writeStringField("date", date);
    }

    /** Lines of a name and a value. */
    private List<Map.Entry<String, String>> lines() {
        return List.of(
                Map.entry("JDK", jdk),
                Map.entry("CPU", cpu + ", " + cores + " cores, " + caches.text()),
                Map.entry("system", system + ", " + Quantity.bytes(memory >> 20 << 20) + " of memory"
                        + (load < 0 ? "" : String.format(Locale.ROOT, ", load %.2f", load))),
                Map.entry("JVM flags", flags.isEmpty() ? "none" : String.join(" ", flags)),
                Map.entry("commit", commit),
                Map.entry("date", date));
    }

    /** Those that change what is measured; where this project lies does not. */
    private static List<String> presentFlags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-Dvirtio4j.home=")).toList();
    }

    static String cpuModel(Path cpuInfo) {
        try {
            return Files.readAllLines(cpuInfo).stream().filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException unreadable) {
            return System.getProperty("os.arch");
        }
    }

    private static String chosen(Path setting) {
        try {
            return Files.readString(setting).replaceAll("(?s).*\\[(.*)].*", "$1");
        } catch (IOException unreadable) {
            return UNKNOWN;
        }
    }

    /** As git describes it, with "-dirty" if something is changed. */
    static String commit(Path home) {
        try {
            Process git = new ProcessBuilder("git", "-C", home.toString(), "describe", "--always", "--dirty",
                    "--abbrev=12").redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String text = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.waitFor() == 0 && !text.isEmpty() ? text : UNKNOWN;
        } catch (IOException noGit) {
            return UNKNOWN;
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            return UNKNOWN;
        }
    }
}
