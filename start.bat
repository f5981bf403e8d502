@echo off
rem Starts the dashboard on Windows: double-click it. The first time it installs what the dashboard needs, into the
rem folder .venv here and nowhere else; delete that folder to undo it. Needs Python 3.11 or newer.
setlocal
cd /d "%~dp0" || goto failed
set "check=import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"

set "python="
py -3 -c "%check%" >nul 2>nul && set "python=py -3"
if not defined python python -c "%check%" >nul 2>nul && set "python=python"
if not defined python (
  echo Python 3.11 or newer is needed and was not found. Get it from https://www.python.org/downloads/, then start this again.
  goto failed
)

rem Made anew where it is missing, was cut off, was moved here, or belongs to a Python that is gone.
.venv\Scripts\python.exe -c "import pip" >nul 2>nul && goto packages
echo Making a place for the packages: the folder .venv here.
if exist .venv rmdir /s /q .venv
rem Not "if errorlevel 1": a program that crashes ends with a number below 0.
%python% -m venv .venv || (
  echo The folder .venv could not be made. Is there room on the disk, and may you write here?
  goto failed
)

:packages
rem Again only when what is asked for has changed.
fc /b requirements.lock .venv\installed >nul 2>nul && goto run
echo Installing the packages, about 760 MB. This takes a few minutes, the first time only.
.venv\Scripts\python.exe -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock || (
  echo The packages could not be installed. Is there a connection to the internet? Then start this again.
  goto failed
)
copy /y requirements.lock .venv\installed >nul

:run
echo Starting. Your browser opens in a moment. Keep this window open: closing it, or Ctrl+C, ends the dashboard.
.venv\Scripts\python.exe -m streamlit run dashboard.py %* && exit /b 0
echo The dashboard has ended with an error; the lines above say which.

:failed
echo.
pause
exit /b 1
