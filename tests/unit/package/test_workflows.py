"""The customer's workflows: what keeps them safe, and that they fit what they deploy. GitHub itself is not asked."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.iterdir())
SCRIPTS = sorted((ROOT / "tools" / "release").glob("*.sh"))
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "infra" / "env").glob("*.bicepparam"))


def workflow(name: str) -> dict[str, Any]:
    """A workflow; what begins it under the key True, as YAML 1.1 reads `on`."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(name)["jobs"]
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def shell(name: str) -> str:
    """All that a workflow's steps run."""
    return "\n".join(str(step.get("run", "")) for step in steps(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_to_a_commit(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_do_only_what_it_says(name: str) -> None:
    assert workflow(name)["permissions"] == {}
    for job in jobs(name).values():
        assert set(job["permissions"].items()) <= {
            ("contents", "read"), ("contents", "write"), ("id-token", "write"), ("deployments", "read"),
            ("pull-requests", "write"),
        }  # fmt: skip
        assert "timeout-minutes" in job
        # Who can write to the repository or to a pull request runs nothing of a change, and has no way into Azure.
        if {("contents", "write"), ("pull-requests", "write")} & set(job["permissions"].items()):
            assert "id-token" not in job["permissions"]
            assert not any("actions/checkout" in step.get("uses", "") for step in job["steps"])


SECRETS = {"KNUTEPUNKT_DUTY_WEBHOOK"}
"""Parameters that open something to whoever knows them: secrets of a GitHub environment."""


@pytest.mark.parametrize("name", NAMES)
def test_a_step_knows_the_secret_it_needs_and_nothing_of_a_caller_becomes_shell(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for job in jobs(name).values():
        needs = [step for step in job["steps"] if "az deployment sub" in str(step.get("run", ""))]
        for holder in (job, *job["steps"]):
            known = {key for key, value in holder.get("env", {}).items() if "secrets." in value}
            assert known == (SECRETS if holder in needs else set())
            assert all(holder["env"][key] == f"${{{{ secrets.{key} }}}}" for key in known)
    assert text.count("secrets.") == sum("az deployment sub" in str(step.get("run", "")) for step in steps(name))
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert "${{" not in shell(name)
    checkouts = [step for step in steps(name) if "actions/checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_runs_is_shell(name: str) -> None:
    for step in steps(name):
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)  # noqa: S607 - bash by its name


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_of_a_release_are_shell_and_may_be_run(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)  # noqa: S603, S607 - our own file
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["plan.yml", "deploy.yml"])
def test_every_parameter_of_infra_reaches_it(name: str) -> None:
    wanted = {
        found
        for path in (ROOT / "infra" / "env").glob("*.bicepparam")
        for found in re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8"))
    }
    into_azure = [job for job in jobs(name).values() if "id-token" in job["permissions"]]
    assert into_azure
    for job in into_azure:
        given = {key for key in job["env"] if key.startswith("KNUTEPUNKT_")}
        assert given == wanted - SECRETS
        assert all(job["env"][key] == f"${{{{ vars.{key} }}}}" for key in given)


@pytest.mark.parametrize("name", ["plan.yml", "deploy.yml"])
def test_what_is_published_of_a_plan_does_not_show_the_webhook(name: str, tmp_path: Path) -> None:
    """What-if is known to show secure parameters: Azure/arm-template-whatif, issue 309."""
    webhook = "https://paging.invalid/a*[b]?key=&\\1/"
    (script,) = [step["run"] for step in steps(name) if "what-if --location" in str(step.get("run", ""))]
    az = tmp_path / "az"
    az.write_text('#!/bin/sh\nprintf \'~ serviceUri: "%s" => "%s"\\n\' "$SAID" "$SAID"\n', encoding="utf-8")
    az.chmod(0o755)
    summary = tmp_path / "summary"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "ENVIRONMENT": "dev", "SAID": webhook,
        "KNUTEPUNKT_DUTY_WEBHOOK": webhook, "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)  # noqa: S603 - the workflow's own step
    assert (tmp_path / "what-if.txt").read_text(encoding="utf-8") == '~ serviceUri: "<webhook>" => "<webhook>"\n'
    assert not summary.exists() or webhook not in summary.read_text(encoding="utf-8")


def test_infra_is_deployed_under_the_name_that_the_scripts_ask_for() -> None:
    """One name: what `az deployment sub show` finds after a person's deployment and after the workflow's."""
    asked = {name for script in SCRIPTS for name in re.findall(r"--name (\S*knutepunkt\S*)", script.read_text("utf-8"))}
    assert asked == {'"knutepunkt-$environment"'}
    assert '--name "knutepunkt-$ENVIRONMENT"' in shell("deploy.yml")
    pages = [ROOT / "infra" / "README.md", *(ROOT / "docs").rglob("*.md")]
    told = [
        found
        for page in pages
        for found in re.findall(r"az deployment sub (?:create|show)[^\n`]*", page.read_text(encoding="utf-8"))
    ]
    assert told
    assert [
        each for each in told if not re.search(r"--name \S*knutepunkt-(?:dev|test|prod|\$ENVIRONMENT)\b", each)
    ] == []


def test_every_environment_can_be_planned_and_deployed_to() -> None:
    asked = workflow("deploy.yml")[True]["workflow_dispatch"]["inputs"]["environment"]["options"]  # type: ignore[index]
    assert sorted(asked) == ENVIRONMENTS
    assert sorted(jobs("plan.yml")["what-if"]["strategy"]["matrix"]["environment"]) == ENVIRONMENTS
    assert all(f"for environment in {' '.join(asked)}; do" in shell(name) for name in ("ci.yml", "plan.yml"))


def test_nothing_is_put_into_an_environment_but_by_its_approval_and_from_a_tag() -> None:
    plan, deploy = jobs("deploy.yml")["plan"], jobs("deploy.yml")["deploy"]
    assert plan["if"] == "github.ref_type == 'tag'"
    assert deploy["needs"] == "plan"
    assert deploy["environment"] == "${{ inputs.environment }}"
    assert plan["environment"] == "plan-${{ inputs.environment }}"
    assert workflow("deploy.yml")["concurrency"]["cancel-in-progress"] is False


def test_the_scripts_of_a_release_ask_for_what_infra_gives() -> None:
    given = set(re.findall(r"^output (\w+)", (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8"), re.MULTILINE))
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        loops = re.findall(r"for app in ([A-Z ]+); do", text)
        assert loops
        asked = {f"KNUTEPUNKT_APP_{app}" for loop in loops for app in loop.split()}
        asked |= {name for name in re.findall(r"KNUTEPUNKT_[A-Z]+\b(?!_)", text) if name != "KNUTEPUNKT_APP"}
        assert asked <= given
        assert {name for name in given if name.startswith("KNUTEPUNKT_APP_")} <= asked


def test_the_first_release_of_a_name_is_what_ci_built() -> None:
    release = jobs("ci.yml")["release"]
    assert set(release["needs"]) == set(jobs("ci.yml")) - {"release"}
    assert "sha256sum --check knutepunkt.zip.sha256" in shell("ci.yml")
    assert "sha256sum --check knutepunkt.zip.sha256" in shell("deploy.yml")
    assert "hub package --out dist" in shell("ci.yml")
    assert "pip-audit --requirement requirements.lock --require-hashes" in shell("ci.yml")
