// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The plan: on which floor each module lies, and in which order the packages of a module are built on each other.
 *
 * <p>A module uses only modules of the floors below it. The libraries of floor 5 stand in a row: each may also use
 * those before it. Of the packages of one module, each uses only those before it in its row.
 */
final class HousePlan {

    static final HousePlan VIRTIO4J = new HousePlan("""
            0 the host: host-os
            1 memory and formats: wire vmm-core trace
            2 queues: virtqueue
            3 devices, transports, drivers: viommu-device endpoint-devices pci-transport mmio-transport guest-driver
            4 one guest: machine vfio-user vfio-host
            5 libraries, in a row: command serving trace-replay guest-harness conformance
            6 programs: launcher benchmarks concurrency guest-suite
            """, """
            host-os: .os .os.memory .os.file .os.socket .os.vfio
            wire: .wire .wire.acpi .wire.block .wire.console .wire.iommu .wire.pci .wire.tree .wire.vfiouser
            vmm-core: .vmm.grace .vmm .dma.translate .dma
            virtqueue: .queue .device .device.transport
            viommu-device: .iommu.table .iommu.embedder .iommu.observe .iommu.fault .iommu.domain .iommu.request .iommu
            guest-driver: .driver .driver.pci .driver.mmio .driver.iommu .driver.hostile
            machine: .machine .machine.acpi .machine.tree
            serving: .serving.console .serving.plan .serving.watch .serving.config .serving
            trace-replay: .replay.input .replay.record .replay.result .replay.survey .replay.play .replay
            guest-harness: .harness.console .harness.options .harness.fetch .harness.image .harness.qemu .harness
            benchmarks: .benchmarks.fixture .benchmarks.host .benchmarks.jmh .benchmarks.suite .benchmarks.report \
            .benchmarks.peers.result .benchmarks.peers.input .benchmarks.peers.work .benchmarks.peers \
            .benchmarks.quota .benchmarks
            """);

    /** The floor whose modules stand in a row. */
    private static final int LIBRARIES = 5;

    private static final String ROOT = "org.virtio4j";

    private final List<String> floorNames = new ArrayList<>();
    private final Map<String, Integer> floors = new LinkedHashMap<>();
    private final List<String> modules = new ArrayList<>();
    private final Map<String, List<String>> packages = new LinkedHashMap<>();

    /**
     * @param floors a line for each floor from the bottom: its number and name, a colon, the folders of its modules
     * @param packages a line for each module of more than one package: its folder, a colon, its packages from the
     *     bottom, without {@code org.virtio4j}
     */
    HousePlan(String floors, String packages) {
        rows(floors).forEach((floor, row) -> {
            row.forEach(module -> this.floors.put(module, floorNames.size()));
            modules.addAll(row);
            floorNames.add(floor.substring(floor.indexOf(' ') + 1));
        });
        rows(packages).forEach((module, row) -> this.packages.put(module, row.stream().map(ROOT::concat).toList()));
    }

    private static Map<String, List<String>> rows(String table) {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        table.lines().filter(line -> !line.isBlank()).forEach(line -> {
            String[] cells = line.split(":", 2);
            rows.put(cells[0].strip(), List.of(cells[1].strip().split(" +")));
        });
        return rows;
    }

    /** The names of the floors, from the bottom. */
    List<String> floors() {
        return List.copyOf(floorNames);
    }

    /** All modules, from the lowest floor up. */
    List<String> modules() {
        return List.copyOf(modules);
    }

    List<String> modulesOf(int floor) {
        return modules.stream().filter(module -> floor == floors.getOrDefault(module, -1)).toList();
    }

    boolean hasFloor(String module) {
        return floors.containsKey(module);
    }

    boolean mayUse(String user, String used) {
        int mine = floors.getOrDefault(user, -1);
        int other = floors.getOrDefault(used, Integer.MAX_VALUE);
        return user.equals(used) || other < mine
                || (other == mine && mine == LIBRARIES && modules.indexOf(used) < modules.indexOf(user));
    }

    /** The packages of a module from the bottom; empty if the plan has no row for it. */
    List<String> packagesOf(String module) {
        return packages.getOrDefault(module, List.of());
    }

    /** What to say about a module that uses another and may not; floors that are not there are said elsewhere. */
    String objection(String user, String used) {
        return user + " (floor " + floors.get(user) + ") must not use " + used + " (floor " + floors.get(used) + ")";
    }
}
