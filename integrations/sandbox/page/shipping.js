// How fixes get out: releases of the GitHub project, deployments of the GitLab one.
import { h, when } from "./dom.js";

const $ = (id) => document.getElementById(id);

export class Shipping {
  constructor(pane) {
    this.pane = pane;
    this.proposed = "";
    $("release-form").addEventListener("submit", (event) => this.publish(event));
    $("deploy-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.pane.act("deploy");
    });
    $("roll-back").addEventListener("click", () => this.pane.act("roll_back"));
  }

  draw(tracker) {
    $("release-form").hidden = tracker.key !== "github";
    $("deploy-form").hidden = tracker.key !== "gitlab";
    if (tracker.key === "github") this.drawRelease(tracker);
    else this.drawDeployment(tracker);
  }

  drawRelease({ next, waiting }) {
    const box = $("release-tag");
    if (!box.value || box.value === this.proposed) box.value = next;
    this.proposed = next;
    $("release-form").querySelector("button").classList.toggle("primary", waiting > 0);
    $("release-label").textContent = waiting ? `${waiting} merged ${waiting === 1 ? "fix" : "fixes"} not yet released` : "Next release";
  }

  drawDeployment({ environment, waiting, back }) {
    $("deploy").textContent = `Deploy to ${environment}`;
    $("deploy").classList.toggle("primary", waiting > 0);
    $("roll-back").disabled = !back;
    $("roll-back").title = back ? `To ${back}` : "Nothing older was deployed";
    $("deploy-label").textContent = waiting ? `${waiting} ${waiting === 1 ? "fix waits" : "fixes wait"}` : "All deployed";
  }

  async publish(event) {
    event.preventDefault();
    const answer = await this.pane.act("release", { tag: $("release-tag").value.trim() });
    if (answer?.ok) $("release-tag").value = "";
    this.pane.draw();
  }

  /** What got out last, as a row under the list of issues. */
  row(tracker) {
    return tracker.key === "github"
      ? { key: "releases", data: tracker.releases.slice(0, 6), draw: releases }
      : { key: "deployments", data: { environment: tracker.environment, all: tracker.deployments.slice(0, 6) }, draw: deployments };
  }
}

function releases(all) {
  return list("Releases", all.map((one) => h("li", {}, h("strong", {}, one.tag), one.name && one.name !== one.tag ? ` ${one.name}` : "", " ", when(one.at))));
}

function deployments({ environment, all }) {
  return list(`Deployments to ${environment}`, all.map((one, index) => h("li", {},
    h("code", {}, one.sha), one.back ? " rolled back" : "", " ", when(one.at), index ? null : h("span", { class: "soft" }, " · runs now"))));
}

function list(title, items) {
  return h("section", { class: "releases", "aria-label": title }, h("h3", {}, title),
    items.length ? h("ul", {}, items) : h("p", { class: "soft" }, "None yet."));
}
