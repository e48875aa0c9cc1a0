"""What each DAG file must be whatever it does: it loads, alone, without asking anybody anything."""

import ast
import subprocess
import sys

import pytest
from airflow.dag_processing.dagbag import DagBag
from conftest import COMPOSER

FILES = sorted((COMPOSER / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(COMPOSER / "dags", bundle_path=COMPOSER / "dags")


def test_all_dags_load(bag: DagBag):
    assert bag.import_errors == {}
    assert sorted(bag.dags) == sorted(path.stem for path in FILES) == ["json_to_csv", "wait_for_file"]


def test_a_dag_waits_to_be_started_and_explains_itself(bag: DagBag):
    for dag in bag.dags.values():
        assert dag.schedule is None, dag.dag_id
        assert dag.doc_md, dag.dag_id
        assert all(dag.params.get_param(name).description for name in dag.params), dag.dag_id


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_needs_no_settings_and_opens_nothing_as_it_loads(path):
    # Airflow loads it again and again: a connection, a program or a file written there would be one each time.
    script = f"""
import runpy, sys
def audit(event, args):
    wrote = event == "open" and set(str(args[1])) & set("wax+")
    if loaded and (wrote or event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")):
        raise AssertionError(f"{{event}} {{args}}")
loaded = False
sys.addaudithook(audit)
sys.dont_write_bytecode = True
sys.path.insert(0, {str(COMPOSER / "plugins")!r})
runpy.run_path({str(path)!r}, run_name="dag")
loaded = True  # Airflow itself, which is not ours to judge; what is ours is loaded once more
for name in [name for name in sys.modules if name.startswith("storageapi")]:
    del sys.modules[name]
runpy.run_path({str(path)!r}, run_name="dag")
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_nothing_names_a_credential_of_aws():
    for path in COMPOSER.glob("[dp]*s/**/*.py"):
        names = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not any(isinstance(name, str) and name.startswith("AWS_") for name in names), path
